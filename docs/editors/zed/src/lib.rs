//! The extension for Zed: how to start `blo lsp`. What the language looks like stands in `languages/blo`.

use zed_extension_api::settings::{CommandSettings, LspSettings};
use zed_extension_api::{Command, Extension, LanguageServerId, Result, Worktree, register_extension};

struct Blo;

impl Extension for Blo {
    fn new() -> Self {
        Blo
    }

    /// The settings `lsp.blo.binary` go before what is on PATH.
    fn language_server_command(&mut self, server: &LanguageServerId, worktree: &Worktree) -> Result<Command> {
        let stated = LspSettings::for_worktree(server.as_ref(), worktree)?.binary;
        let (path, arguments) = match stated {
            Some(CommandSettings { path, arguments, .. }) => (path, arguments),
            None => (None, None),
        };
        let command = path.or_else(|| worktree.which("blo")).ok_or(MISSING)?;
        let args = arguments.unwrap_or_else(|| vec!["lsp".into()]);
        Ok(Command { command, args, env: worktree.shell_env() })
    }
}

/// What a user reads who has no `blo`.
const MISSING: &str = "there is no `blo` on PATH. Install it with `cargo install --locked --path cli` in the folder of \
                       blo, or say where it is with the setting `lsp.blo.binary.path`";

register_extension!(Blo);
