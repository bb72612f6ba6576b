// Starts `blo lsp` for .blo files and offers two commands that run `blo` in a terminal.
"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;
let watcher;

function settings() {
  return vscode.workspace.getConfiguration("blo");
}

async function start() {
  const command = settings().get("path", "blo");
  const args = ["lsp", ...settings().get("dataDirs", []).flatMap((dir) => ["--data-dir", dir])];
  const options = {
    documentSelector: [{ language: "blo" }],
    synchronize: { fileEvents: watcher },
  };
  client = new LanguageClient("blo", "blo", { command, args }, options);
  try {
    await client.start();
  } catch (why) {
    vscode.window.showErrorMessage(`cannot start \`${command} lsp\`: ${why.message ?? why}`);
  }
}

async function stop() {
  const old = client;
  client = undefined;
  if (old?.needsStop()) {
    await old.stop();
  }
}

// Arguments go to `blo` as they are: no shell reads the name of a file.
async function run(word) {
  const editor = vscode.window.activeTextEditor;
  if (!editor || editor.document.isUntitled) {
    vscode.window.showErrorMessage("save the problem in a file first");
    return;
  }
  await editor.document.save();
  const dirs = settings().get("dataDirs", []).flatMap((dir) => ["--data-dir", dir]);
  const execution = new vscode.ProcessExecution(settings().get("path", "blo"), [word, editor.document.fileName, ...dirs]);
  const folder = vscode.workspace.getWorkspaceFolder(editor.document.uri) ?? vscode.TaskScope.Workspace;
  const task = new vscode.Task({ type: "process" }, folder, `blo ${word}`, "blo", execution);
  await vscode.tasks.executeTask(task);
}

exports.activate = async (context) => {
  // a data file that comes or goes changes what there is to say
  watcher = vscode.workspace.createFileSystemWatcher("**/*.{csv,tsv,npy,npz,idx,libsvm,jsonl,gz}");
  context.subscriptions.push(
    watcher,
    vscode.commands.registerCommand("blo.solve", () => run("solve")),
    vscode.commands.registerCommand("blo.explain", () => run("explain")),
    vscode.commands.registerCommand("blo.restart", async () => {
      await stop();
      await start();
    }),
  );
  await start();
};

exports.deactivate = stop;
