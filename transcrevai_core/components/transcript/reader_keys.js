// The keys: a letter where nobody writes, and Alt with the same letter everywhere.
// biome-ignore lint/correctness/noUnusedVariables: reader.js, which is joined to this, uses it
class Keys {
  constructor(reader) {
    this.reader = reader
    this.listen = event => this.key(event)
    document.addEventListener("keydown", this.listen, true) // before Streamlit, which has keys of its own
  }

  // letters are keys only where nobody writes, and where nothing lies above the page
  key(event) {
    const { reader } = this
    const target = event.composedPath()[0]
    const own = reader.root.contains(target)
    if (!reader.text.rows.length) return
    if (target.closest?.("dialog, [role=dialog], [role=listbox], [data-baseweb=popover], .menu")) return
    if (this.anywhere(event)) return
    if (target.closest?.("input, textarea, select, [contenteditable=true]") || event.altKey) return
    if (reader.text.early !== null) return reader.text.type(event)
    let name
    if (event.ctrlKey || event.metaKey) {
      const key = event.key.toLowerCase()
      name = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : ""
      if (key === "a" && target === reader.text.box) name = "select_all"
    } else {
      const pressed = target.closest?.("button, a, summary, [role=button], [role=tab], [role=radio]")
      const press = pressed && ["Enter", " "].includes(event.key)
      name = press ? "" : KEYS[named(event)]
      const arrows = own ? target.matches?.("canvas") : target !== document.body
      if (arrows && event.key.startsWith("Arrow")) name = ""
      if (!name && this.person(event, Number(event.key))) return
      if (name === "unselect" && reader.selection.bar.hidden) return
    }
    this.act(event, name)
  }

  // what serves while one writes, too; tells whether it did
  anywhere(event) {
    const { ctrlKey, altKey, metaKey, code } = event
    // AltGr is Ctrl and Alt in some systems, and writes letters
    if (metaKey || (ctrlKey && altKey) || event.getModifierState?.("AltGraph")) return false
    if (ctrlKey) return code === "Space" && this.act(event, "play")
    if (!altKey) return this.act(event, PEDAL[event.key])
    if (/^(Digit|Numpad)[1-9]$/.test(code)) return this.person(event, Number(code.at(-1)))
    // by its place: with Alt some systems write another letter
    const plain = PUNCTUATION[code] ?? (code.startsWith("Key") ? code.at(-1).toLowerCase() : code)
    const name = (event.shiftKey && KEYS[`shift+${plain}`]) || KEYS[plain]
    return WRITING.has(name) && this.act(event, name)
  }

  act(event, name) {
    if (!name) return false
    event.preventDefault()
    event.stopPropagation()
    this.reader.act(name)
    return true
  }

  person(event, number) {
    const { people, text } = this.reader
    const person = people[number - 1]
    if (!person) return false
    event.preventDefault()
    event.stopPropagation()
    this.reader.assign(text.editing ?? text.present(), person.label)
    return true
  }

  leave() {
    document.removeEventListener("keydown", this.listen, true)
    for (const action of ["play", "pause", "seekbackward", "seekforward", "previoustrack", "nexttrack"])
      navigator.mediaSession?.setActionHandler(action, null)
  }
}

const named = event => {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
  return event.shiftKey && `shift+${key}` in KEYS ? `shift+${key}` : key
}
const KEYS = {
  " ": "play",
  k: "play",
  j: "back",
  l: "forward",
  ArrowLeft: "back",
  ArrowRight: "forward",
  ",": "slower",
  ".": "faster",
  r: "loop",
  "shift+ArrowUp": "select_previous",
  "shift+ArrowDown": "select_next",
  Escape: "unselect",
  ArrowUp: "previous",
  ArrowDown: "next",
  n: "doubt",
  "shift+n": "doubt_before",
  q: "only",
  e: "edit",
  Enter: "edit",
  s: "split",
  m: "merge",
  i: "inaudible",
  v: "overlap",
  o: "note",
  h: "highlight",
  f: "find",
  x: "menu",
  u: "undo",
  d: "shade",
  "?": "keys",
}
const PUNCTUATION = { Comma: ",", Period: "." }
// what is wanted while one writes; browsers need Alt with some of the others themselves
const WRITING = new Set([
  "play", "back", "forward", "slower", "faster", "loop", "previous", "next", "doubt", "doubt_before",
  "split", "merge", "inaudible", "overlap", "note", "highlight",
])
// what pedals are set to send, and keyboards for films and music
const PEDAL = {
  F7: "back",
  F8: "play",
  F9: "forward",
  MediaPlayPause: "play",
  MediaRewind: "back",
  MediaFastForward: "forward",
  MediaTrackPrevious: "previous",
  MediaTrackNext: "next",
}
