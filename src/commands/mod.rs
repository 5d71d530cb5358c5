//! One file a verb: observes, asks the core for a plan, hands it to the engine.
