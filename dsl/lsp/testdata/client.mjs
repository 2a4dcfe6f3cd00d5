// Speaks to a language server as an editor does: node client.mjs SERVER REQUESTS
// REQUESTS is a JSON list of {open|change|request}; answers go to standard output, in order.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.CLIENT_MODULES + "/");
const lsp = require("vscode-languageserver-protocol/node");

const [, , server, requests] = process.argv;
const child = spawn(server, [], { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, LEADROUTE_TEST_LSP: "1" } });
const connection = lsp.createProtocolConnection(
  new lsp.StreamMessageReader(child.stdout), new lsp.StreamMessageWriter(child.stdin));

const findings = new Map(); // uri: those that were published and not yet taken
const waiting = new Map();
connection.onNotification(lsp.PublishDiagnosticsNotification.type, (p) => {
  const waiter = waiting.get(p.uri);
  if (waiter) { waiting.delete(p.uri); waiter(p.diagnostics); } else findings.set(p.uri, p.diagnostics);
});
function published(uri) {
  const have = findings.get(uri);
  if (have) { findings.delete(uri); return Promise.resolve(have); }
  return new Promise((resolve) => waiting.set(uri, resolve));
}

connection.listen();
const capabilities = (await connection.sendRequest(lsp.InitializeRequest.type, { processId: process.pid, rootUri: null, capabilities: {} })).capabilities;
await connection.sendNotification(lsp.InitializedNotification.type, {});
const answers = [{ capabilities }];
let version = 0;
for (const step of JSON.parse(readFileSync(requests, "utf8"))) {
  const uri = pathToFileURL(step.file).href;
  const textDocument = { uri };
  if (step.open !== undefined) {
    await connection.sendNotification(lsp.DidOpenTextDocumentNotification.type,
      { textDocument: { uri, languageId: "hcl", version: ++version, text: step.open } });
    answers.push({ findings: await published(uri) });
  } else if (step.change !== undefined) {
    await connection.sendNotification(lsp.DidChangeTextDocumentNotification.type,
      { textDocument: { uri, version: ++version }, contentChanges: [{ text: step.change }] });
    answers.push({ findings: await published(uri) });
  } else {
    const answer = await connection.sendRequest("textDocument/" + step.request,
      { textDocument, position: step.position, options: { tabSize: 2, insertSpaces: true } });
    answers.push({ [step.request]: answer });
  }
}
await connection.sendRequest(lsp.ShutdownRequest.type);
await connection.sendNotification(lsp.ExitNotification.type);
const code = await new Promise((resolve) => child.on("exit", resolve));
process.stdout.write(JSON.stringify({ code, answers }));
process.exit(0);
