// Copies a transcript's text, as it is at this moment, to the clipboard.
export default function (component) {
  const { url, copy, copied, failed } = component.data
  const root = component.parentElement
  const [button, status] = [root.querySelector("button"), root.querySelector("p")]
  root.querySelector(".label").textContent = copy
  status.textContent = ""

  const ask = async () => {
    const answer = await fetch(url)
    if (!answer.ok) throw new Error(answer.statusText)
    return await answer.text()
  }
  button.onclick = async () => {
    try {
      if (navigator.clipboard && window.ClipboardItem) {
        // with a promise, as one browser allows it only at the click itself
        const text = ask().then(said => new Blob([said], { type: "text/plain" }))
        await navigator.clipboard.write([new ClipboardItem({ "text/plain": text })])
      } else copyByHand(await ask()) // an address without https
      status.textContent = copied
    } catch {
      status.textContent = failed
    }
  }
}

function copyByHand(text) {
  const field = document.createElement("textarea")
  field.value = text
  document.body.append(field)
  field.select()
  const done = document.execCommand("copy")
  field.remove()
  if (!done) throw new Error("refused")
}
