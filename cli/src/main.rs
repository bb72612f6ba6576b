//! The `blo` command: arguments to calls of the other crates, their results to text. What a program means, how it is
//! solved and what a message says is decided elsewhere; this crate reads, writes and renders.
// The bans keep engine and solvers off files, clocks and terminals; this crate is the caller that provides them.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

mod args;
mod clock;
mod codes;
mod command;
mod exit;
mod input;
mod output;
mod picture;
mod play;
mod server;

use std::process::ExitCode;

use blo::stack::STACK_BYTES;
use exit::Exit;
use output::console::{self, Console};

fn main() -> ExitCode {
    let arguments = match command::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => {
            // help and version are not mistakes: clap sends them to stdout
            if !error.use_stderr() {
                let _ = error.print();
                return Exit::Done.into();
            }
            console::usage(&error.render().ansi().to_string());
            return Exit::Usage.into();
        }
    };
    clock::begin();
    std::panic::set_hook(Box::new(exit::report_bug));
    let worker = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
        let mut console = Console::new(arguments.message_format);
        match command::run(arguments.command, &mut console) {
            Ok(exit) => exit,
            Err(failure) => console.fail(&failure),
        }
    });
    match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(_)) | Err(_) => Exit::Internal.into(),
    }
}
