/**
 * Writes the reference of the SDK, docs/sdk-ts.md, to standard output: every name
 * that an entry point exports, with its comment and its declaration.
 *
 *   node reference.mjs FOLDER    (where tsc has put the declarations)
 */
import ts from "typescript";

const folder = process.argv[2];
const { exports: entries } = (await import("./package.json", { with: { type: "json" } })).default;
const files = Object.entries(entries).map(([name, e]) => [name.replace(/^\./, "@staunch/client"), e.types.replace("./dist", folder)]);
const program = ts.createProgram(files.map(([, file]) => file), {
  module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, target: ts.ScriptTarget.ES2022, skipLibCheck: true,
});
const checker = program.getTypeChecker();

const page = [
  "# Reference of the TypeScript SDK", "",
  "Written by `make sdk-docs` from the comments in [sdk/ts/src](../sdk/ts/src); a test compares. Begin with the", "[README](../sdk/ts/README.md).", "",
];
const shown = new Map(); // declaration -> entry point that has it already
for (const [entry, file] of files) {
  const source = program.getSourceFile(file);
  if (source === undefined) {
    throw new Error(`${entry}: there is no ${file}; run tsc first`);
  }
  page.push(`## ${entry}`, "", ...about(source));
  for (const symbol of checker.getExportsOfModule(checker.getSymbolAtLocation(source)).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const declared = target.declarations?.filter((d) => !ts.isSourceFile(d)) ?? [];
    if (declared.length === 0) {
      throw new Error(`${entry}: nothing declares ${symbol.name}`);
    }
    const earlier = shown.get(declared[0]);
    shown.set(declared[0], earlier ?? entry);
    page.push(`### ${symbol.name}`, "");
    if (earlier !== undefined && earlier !== entry) {
      page.push(`That of [${earlier}](#${earlier.replace(/[^a-z-]/g, "")}).`, "");
      continue;
    }
    page.push(...declared.flatMap((d) => declaration(d, symbol.name)));
  }
}
process.stdout.write(`${page.join("\n").trimEnd()}\n`);

/** about is the comment of an entry point. */
function about(source) {
  const [first] = ts.getJSDocCommentsAndTags(source.statements[0]);
  const from = first && ts.isJSDoc(first) && source.text.slice(first.pos, first.end).includes("@packageDocumentation") ? first : undefined;
  return from === undefined ? [] : [ts.getTextOfJSDocComment(from.comment) ?? "", ""];
}

/** declaration is the comment of a name as text, and what stands below it as code. */
function declaration(node, name) {
  const owner = ts.isVariableDeclaration(node) ? node.parent.parent : node;
  const comments = ts.getJSDocCommentsAndTags(owner).filter(ts.isJSDoc).filter((d) => d.parent === owner);
  if (comments.length === 0) {
    throw new Error(`${name} has no comment`);
  }
  const text = comments.map((c) => ts.getTextOfJSDocComment(c.comment) ?? "").join("\n");
  const code = owner.getSourceFile().text.slice(owner.getStart(), owner.end).replace(/^export (declare )?/, "");
  return [text, "", "```ts", code, "```", ""];
}
