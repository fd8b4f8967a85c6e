// What Streamlit itself writes is English in every language, and it takes no texts of ours for it:
// they are put in its place before anything is painted or read out. `words` has both.
if (!window.translating) {
  const named = ["aria-label", "placeholder", "title"];
  const marked = /\{(\w+)\}/;
  const exact = new Map();
  const shapes = [];
  for (const [from, to] of Object.entries(window.words)) {
    if (!marked.test(from)) {
      exact.set(from, to);
      continue;
    }
    const parts = from.split(marked); // text, name, text, name, text
    const plain = (part) => part.replace(/[.*+?^$()|]/g, "\\$&");
    const literal = parts.map((part, n) => (n % 2 ? `(?<${part}>.+)` : plain(part)));
    shapes.push([new RegExp(`^${literal.join("")}$`, "s"), to.replace(/\{(\w+)\}/g, "$<$1>")]);
  }

  const translated = (text) => {
    const bare = text.trim();
    if (exact.has(bare)) return exact.get(bare);
    const [shape, to] = shapes.find(([shape]) => shape.test(bare)) ?? [];
    return shape ? bare.replace(shape, to) : text;
  };

  // what people or recordings say stays as it is
  const ours = "[data-testid=stMarkdownContainer], [role=option][data-key], style, script";
  const theirs = "[data-testid=stFileUploaderDropzone], [data-testid=stTooltipContent]";

  const write = (node) => {
    const parent = node.parentElement;
    if (!parent || (parent.closest(ours) && !parent.closest(theirs))) return;
    let text = translated(node.data);
    if (parent.closest("[data-testid=stNumberInput]")) text = text.replace(/(\d)\.(?=\d)/g, "$1,");
    if (text !== node.data) node.data = text;
  };
  // fields of numbers write decimals as the browser's own language does, and some drop a comma that
  // is typed; as text they take and show it, and Streamlit sees the point that it knows
  const own = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
  const writeDecimals = (field) => {
    const kept = Object.getOwnPropertyDescriptor(field, "value") ?? own; // React's own, where it is
    const show = (value) => own.set.call(field, String(value).replace(".", ","));
    field.type = "text";
    field.inputMode = "decimal";
    Object.defineProperty(field, "value", {
      configurable: true,
      get: () => own.get.call(field).replace(",", "."),
      set: (value) => {
        kept.set.call(field, value);
        show(value);
      },
    });
    show(own.get.call(field));
    field.addEventListener("beforeinput", (event) => {
      if (/[^\d.,+-]/.test(event.data ?? "")) event.preventDefault();
    });
  };
  const call = (element) => {
    if (element.matches("input[type=number]")) writeDecimals(element);
    for (const name of named) {
      const text = element.getAttribute(name);
      const better = text && translated(text);
      if (better !== text) element.setAttribute(name, better);
    }
    // the icons of texts are there for the eye alone
    if (element.matches("[data-testid=stIconMaterial]:not([aria-hidden]), [role=img][translate=no]"))
      element.setAttribute("aria-hidden", "true");
  };
  const over = (root) => {
    if (root.nodeType === Node.TEXT_NODE) write(root);
    if (root.nodeType !== Node.ELEMENT_NODE) return;
    call(root);
    for (const element of root.querySelectorAll("*")) call(element);
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) write(texts.currentNode);
  };

  window.translating = new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "childList") change.addedNodes.forEach(over);
      else if (change.type === "attributes") call(change.target);
      else write(change.target);
    }
  });
  window.translating.observe(document.body, {
    attributeFilter: named,
    characterData: true,
    childList: true,
    subtree: true,
  });
  over(document.body);
}
