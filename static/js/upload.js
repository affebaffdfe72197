/* Upload of a form's file with progress. The form itself works without this: the server's answer,
   a redirect or the page with errors, is shown just as the browser would show it. */

const megabytes = (bytes) => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);

function startUpload(form, file) {
  if (form.dataset.state === "uploading") return;
  const bar = form.querySelector("progress");
  const note = form.querySelector("[data-upload-note]");
  const cancel = form.querySelector("[data-upload-cancel]");
  const request = new XMLHttpRequest();

  // Sent all the same, it would be refused halfway, and the browser would see a broken connection.
  if (file.size > Number(form.dataset.maxBytes)) {
    note.textContent = `${file.name} is larger than ${form.dataset.maxSize}. Split it into several files.`;
    return;
  }

  const end = (message) => {
    form.dataset.state = "";
    note.textContent = message;
  };

  request.upload.addEventListener("progress", ({ loaded, total, lengthComputable }) => {
    if (!lengthComputable) return;
    bar.value = loaded / total;
    const percent = Math.floor((loaded / total) * 100);
    note.textContent =
      loaded === total
        ? `Checking ${file.name}`
        : `Uploading ${file.name}: ${percent}% (${megabytes(loaded)} of ${megabytes(total)} MB)`;
  });
  request.addEventListener("load", () => show(request, end));
  request.addEventListener("error", () => end("The upload was interrupted. Try again."));
  request.addEventListener("abort", () => end("The upload was cancelled."));
  cancel.onclick = () => request.abort();

  const body = new FormData(form);
  const field = form.querySelector("input[type=file]").name;
  body.set(field, file, file.name);
  form.dataset.state = "uploading";
  bar.value = 0;
  request.open("POST", form.action);
  request.setRequestHeader("X-CSRFToken", document.querySelector('meta[name="csrf-token"]').content);
  request.setRequestHeader("Accept", "text/html");
  request.send(body);
}

function show(request, end) {
  const answer = new DOMParser().parseFromString(request.responseText, "text/html");
  const page = answer.getElementById("main");
  if (!page) {
    end(`The server refused the file (${request.status}). Try again.`);
    return;
  }
  const main = document.getElementById("main");
  main.replaceChildren(...page.childNodes);
  document.title = answer.title;
  if (request.responseURL !== location.href) history.pushState(null, "", request.responseURL);
  window.htmx.process(main);
  document.dispatchEvent(new CustomEvent("htmx:after:swap"));
}

document.addEventListener("change", ({ target }) => {
  const form = target.closest("form[data-upload]");
  if (form && target.files?.length) startUpload(form, target.files[0]);
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-upload]");
  const [file] = form?.querySelector("input[type=file]").files ?? [];
  if (!file) return;
  event.preventDefault();
  startUpload(form, file);
});

for (const type of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    const form = event.target.closest?.("form[data-upload]");
    if (!form) return;
    event.preventDefault();
    form.classList.toggle("dropzone-over", type === "dragover");
    if (type === "drop" && event.dataTransfer.files.length) startUpload(form, event.dataTransfer.files[0]);
  });
}
