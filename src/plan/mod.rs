//! The steps, their preview, and the engine that applies them.
