//! The simulator as a process, with a callback receiver that sees every byte it pushes.

mod api;
mod process;
mod pushes;
mod receiver;
