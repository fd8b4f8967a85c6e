// What a tab says of jobs whatever page it shows: in its title how far the one is that the page is
// about, and, where that is wanted, that one is done. A tab remembers which it follows, so that
// it knows them when it is loaded anew.
const KEPT = "transcrevai-followed"
const WANTED = "transcrevai-tell"
const following = window.transcrevaiFollowing
window.transcrevaiHerald ??= { followed: new Set(read()), share: 0 }
const herald = window.transcrevaiHerald

export default function ({ data, parentElement: root, setTriggerValue }) {
  Object.assign(herald, { data, root, open: setTriggerValue })
  for (const job of data.jobs.split(" ").filter(Boolean)) herald.followed.add(job)
  keep()
  if (herald.named !== data.shown) herald.share = 0
  name(data.shown)
  return () => following.leave(root)
}

function keep() {
  sessionStorage.setItem(KEPT, JSON.stringify([...herald.followed]))
  following.listen(herald.root, [...herald.followed], herald.data, hear)
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? []
  } catch {
    return []
  }
}

function hear(told) {
  for (const job of herald.followed) {
    const now = told[job]
    if (now && !["done", "failed", "cancelled"].includes(now.state)) {
      if (job === herald.data.shown) herald.share = now.share
      continue
    }
    herald.followed.delete(job)
    if (job === herald.data.shown) herald.data = { ...herald.data, shown: "" }
    if (now && now.state !== "cancelled") tell(job, now)
  }
  keep()
  name(herald.data.shown)
}

// the title is Streamlit's own, but where a percentage of ours stands before it
function name(shown) {
  const { title, language } = herald.data
  const percent = new Intl.NumberFormat(language.replace("_", "-"), { style: "percent" })
  const wanted = shown && herald.share ? `${percent.format(herald.share)} · ${title}` : title
  if ((shown || herald.named) && document.title !== wanted) document.title = wanted
  herald.named = shown
}

function tell(job, { state, title }) {
  if (localStorage.getItem(WANTED) !== "1" || window.Notification?.permission !== "granted") return
  const said = new Notification(title, { body: JSON.parse(herald.data.texts)[state], tag: job })
  said.onclick = () => {
    window.focus()
    herald.open("open", { job, state })
    said.close()
  }
}
