// The editor of one code cell. The page loads it when a reader first edits; without it a text area does the same work.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState, Prec } from "@codemirror/state";
import { drawSelection, EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

// Colours are the page's variables (cells.css), so that one editor serves light and dark.
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword, tags.definitionKeyword], class: "ck-c-keyword" },
  { tag: [tags.string, tags.special(tags.string)], class: "ck-c-string" },
  { tag: [tags.number, tags.bool, tags.null], class: "ck-c-number" },
  { tag: [tags.comment], class: "ck-c-comment" },
  { tag: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.className)], class: "ck-c-name" },
]);

const tab = (view) =>
  view.state.selection.ranges.some((range) => !range.empty) || beforeText(view) ? indentMore(view) : insertSpaces(view);
const beforeText = ({ state }) => {
  const { head } = state.selection.main;
  return !state.doc.lineAt(head).text.slice(0, head - state.doc.lineAt(head).from).trim();
};
const insertSpaces = (view) => {
  view.dispatch(view.state.replaceSelection("    "), { scrollIntoView: true, userEvent: "input" });
  return true;
};

// Returns {get, set, focus, show(line), remove}. `run(next)` is Ctrl+Enter (next: Shift+Enter), `leave` is Escape.
export function mount(parent, { text, label, describedBy, at, changed, run, leave }) {
  const keys = Prec.highest(
    keymap.of([
      { key: "Mod-Enter", run: () => (run(false), true) },
      { key: "Ctrl-Enter", run: () => (run(false), true) },
      { key: "Shift-Enter", run: () => (run(true), true) },
    ])
  );
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      selection: { anchor: Math.min(at ?? 0, text.length) },
      extensions: [
        keys,
        lineNumbers(),
        history(),
        drawSelection(),
        indentOnInput(),
        indentUnit.of("    "),
        EditorState.tabSize.of(4),
        python(),
        syntaxHighlighting(colours),
        bracketMatching(),
        closeBrackets(),
        autocompletion({ activateOnTyping: false, icons: false }),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({
          "aria-label": label,
          "aria-describedby": describedBy,
          autocapitalize: "off",
          autocorrect: "off",
          spellcheck: "false",
        }),
        EditorView.updateListener.of((update) => update.docChanged && changed(update.state.doc.toString())),
        keymap.of([
          ...completionKeymap, // before Escape below: it closes the list first
          ...closeBracketsKeymap,
          { key: "Tab", run: tab, shift: indentLess },
          { key: "Escape", run: () => (leave(), true) },
          ...defaultKeymap,
          ...historyKeymap,
        ]),
      ],
    }),
  });
  return {
    get: () => view.state.doc.toString(),
    set: (value) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value } }),
    focus: () => view.focus(),
    show: (line) => {
      const place = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
      view.dispatch({ selection: { anchor: place.from, head: place.to }, scrollIntoView: true });
      view.focus();
    },
    remove: () => view.destroy(),
  };
}
