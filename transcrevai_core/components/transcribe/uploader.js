// Sends files to the server one after another, straight from disk to disk, and tells the page
// the ids of those that have arrived. The uploads belong to the tab, not to the drawing of the
// drop zone: whoever looks into another page meanwhile finds them again, further on.
window.transcrevaiUploader ??= new (class {
  items = [] // {file, row, state: waiting | sending | done | failed, request?, upload?}
  root = null

  attach(root) {
    for (const part of root.querySelectorAll("[data-text]"))
      part.textContent = this.text(part.dataset.text)
    for (const part of root.querySelectorAll("[data-label]"))
      part.setAttribute("aria-label", this.text(part.dataset.label))
    if (this.root === root) return
    this.root = root
    this.find(".rows").replaceChildren(...this.items.filter(i => !i.told).map(i => i.row))
    const [zone, input] = [this.find(".zone"), this.find(".input")]
    const browse = this.find(".browse")
    browse.onclick = () => input.click()
    browse.disabled = false // until here nothing would have come of a click
    input.onchange = () => {
      this.add(input.files)
      input.value = "" // so that the same file can be chosen again
    }
    zone.ondragover = event => {
      event.preventDefault()
      zone.classList.add("over")
    }
    zone.ondragleave = () => zone.classList.remove("over")
    zone.ondrop = event => {
      event.preventDefault()
      zone.classList.remove("over")
      this.add(event.dataTransfer.files)
    }
    this.tell()
  }

  detach(root) {
    if (this.root === root) this.root = null
  }

  // a text of the reader's language, with its {places} filled
  text(name, values = {}) {
    return this.data.texts[name].replace(/\{(\w+)\}/g, (_, place) => values[place])
  }

  megabytes(bytes) {
    const digits = bytes < 1e7 ? 1 : 0
    const form = { minimumFractionDigits: digits, maximumFractionDigits: digits }
    return (bytes / 1e6).toLocaleString(this.data.language.replace("_", "-"), form)
  }

  find(selector) {
    return this.root?.querySelector(selector)
  }

  in(state) {
    return this.items.filter(item => item.state === state)
  }

  add(files) {
    for (const file of files) {
      const item = { file, row: makeRow(file, this.text("bar", file)) }
      this.items.push(item)
      this.find(".rows")?.append(item.row)
      if (file.size > this.data.max_bytes) {
        const size = this.megabytes(this.data.max_bytes)
        this.fail(item, this.text("large", { name: file.name, size }))
      } else {
        const cancel = () => this.cancel(item)
        show(item, "waiting", this.text("waiting"), this.text("cancel"), cancel)
      }
    }
    this.next()
  }

  next() {
    const item = this.in("waiting")[0]
    if (item && !this.in("sending").length) this.send(item)
    // leaving the program in mid-upload asks first
    const busy = this.in("sending").length > 0
    window[busy ? "addEventListener" : "removeEventListener"]("beforeunload", warn)
  }

  async send(item) {
    const { file } = item
    const name = encodeURIComponent(file.name)
    const address = `${this.data.url}?name=${name}&language=${this.data.language}`
    item.state = "sending"
    this.say(this.text("sending", file))
    const refusal = await this.ask(`${address}&size=${file.size}`)
    if (refusal) this.fail(item, refusal, true)
    if (refusal || !this.items.includes(item)) return this.next() // cancelled meanwhile
    const request = new XMLHttpRequest()
    item.request = request
    const began = performance.now()
    request.open("PUT", address)
    request.setRequestHeader(this.data.header, this.data.token)
    request.responseType = "json"
    request.upload.onprogress = ({ loaded }) => {
      const seconds = ((performance.now() - began) / 1000) * (file.size / loaded - 1)
      this.showProgress(item, loaded, seconds)
    }
    request.onload = () => {
      if (request.status === 200) this.arrive(item, request.response.upload)
      else this.fail(item, request.response?.error ?? this.text("refused"), true)
    }
    request.onerror = () => this.fail(item, this.text("broken"), true)
    request.onloadend = () => {
      this.next()
      this.tell()
    }
    request.send(file)
  }

  // a browser listens to a refusal only after it has sent everything: better to ask first
  async ask(address) {
    try {
      const headers = { [this.data.header]: this.data.token }
      const answer = await fetch(address, { method: "POST", headers })
      return answer.ok ? "" : (await answer.json()).error
    } catch {
      return this.text("broken")
    }
  }

  arrive(item, upload) {
    item.upload = upload
    show(item, "done", this.text("sent", { size: this.megabytes(item.file.size) }))
    this.say(this.text("arrived", item.file))
  }

  fail(item, sentence, again = false) {
    show(item, "failed", sentence, this.text(again ? "again" : "dismiss"), () => {
      this.drop(item)
      if (again) this.add([item.file])
    })
    this.say(sentence)
  }

  cancel(item) {
    this.drop(item)
    item.request?.abort()
    this.say(this.text("cancelled", item.file))
    this.find(".browse")?.focus()
  }

  drop(item) {
    this.items = this.items.filter(other => other !== item)
    item.row.remove()
  }

  showProgress({ file, row }, loaded, seconds) {
    const percent = Math.floor((100 * loaded) / Math.max(1, file.size))
    const [done, all] = [this.megabytes(loaded), this.megabytes(file.size)]
    const time = seconds < 60 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`
    row.querySelector(".bar span").style.width = `${percent}%`
    row.querySelector(".bar").setAttribute("aria-valuenow", percent)
    row.querySelector(".state").textContent = this.text("progress", { done, all, percent, time })
  }

  say(sentence) {
    const spoken = this.find(".spoken")
    if (spoken) spoken.textContent = sentence
  }

  // all that have arrived, each time: of two reports in a row the page may see the last alone
  tell() {
    const done = this.in("done")
    if (!this.root || done.every(item => item.told)) return
    for (const item of done) {
      item.told = true
      item.row.remove() // the page shows it from here on
    }
    const pending = this.in("waiting").length + this.in("sending").length
    this.report({ finished: done.map(item => item.upload), pending })
  }
})()
const uploader = window.transcrevaiUploader

export default function (component) {
  const root = component.parentElement
  uploader.data = { ...component.data, texts: JSON.parse(component.data.texts) }
  uploader.report = uploads => component.setStateValue("uploads", uploads)
  uploader.attach(root)
  return () => uploader.detach(root)
}

const warn = event => event.preventDefault()

function makeRow(file, label) {
  const row = document.createElement("li")
  row.innerHTML =
    '<span class="name"></span><div class="bar" role="progressbar" aria-valuemin="0" ' +
    'aria-valuemax="100"><span></span></div><span class="state"></span>' +
    '<button type="button"></button>'
  row.querySelector(".name").textContent = file.name // never markup: the name is anyone's
  row.querySelector(".bar").setAttribute("aria-label", label)
  return row
}

function show(item, state, sentence, label, action) {
  item.state = state
  item.row.className = `row ${state}`
  item.row.querySelector(".state").textContent = sentence
  const button = item.row.querySelector("button")
  button.hidden = !label
  button.textContent = label ?? ""
  button.setAttribute("aria-label", `${label}: ${item.file.name}`)
  button.onclick = action ?? null
}
