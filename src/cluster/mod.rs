//! The one door to processes: `helm` and `kubectl`, and the simulated cluster behind the same trait.
