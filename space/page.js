/* What the Space does in the browser. Each function is called by the `js_on_load` of one gr.HTML; all that is shown is
   made by Python, and reads without this. */
window.page = (() => {
  const SMALL = 448, STRUCK = 1500, ROLL = 900; // pixels; milliseconds
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

  /* Change the page; where the visitor wants motion each photo moves from its old place to its new one. */
  function move(change) {
    if (calm.matches || !document.startViewTransition || document.hidden) return change();
    document.startViewTransition(change).finished.catch(() => {});
  }

  function roll(number, from, to) {
    const started = performance.now();
    (function step(now) {
      const share = calm.matches ? 1 : Math.min((now - started) / ROLL, 1);
      number.textContent = Math.round(from + (to - from) * share);
      if (share < 1) requestAnimationFrame(step);
    })(started);
  }

  /* The results: which view is shown, what a visitor marks, enlarges and asks next. */
  function results(element, trigger, watch, server) {
    let chosen = null, told = null, wrong = new Set(), turn = 0;
    const found = () => element.querySelector(".nc-found");

    function show(view, { rolled = false } = {}) {
      const board = found();
      if (!board) return;
      board.dataset.view = view;
      board.querySelector(`[name=nc-view][value=${view}]`).checked = true;
      for (const tally of board.querySelectorAll(".nc-tallies p")) {
        const { base, ours } = tally.dataset, big = tally.querySelector(".nc-big");
        if (view === "base") big.textContent = base;
        else {
          big.innerHTML = `<s>${base}</s> → <b>${ours}</b>`;
          if (rolled && tally.matches(".nc-wrong")) roll(big.lastChild, Number(base), Number(ours));
        }
      }
    }

    /* For a new query: what the ordinary model found, what is wrong with it, and then what NotCLIP finds. */
    async function tell() {
      const mine = ++turn;
      if (chosen || calm.matches) return show(chosen || "ours");
      show("base");
      await wait(STRUCK);
      if (mine === turn && !chosen) move(() => show("ours", { rolled: true }));
    }

    function marked() {
      for (const item of element.querySelectorAll("li[data-photo]")) {
        const button = item.querySelector("[data-do=wrong]");
        if (!button) return;
        const is = wrong.has(item.dataset.photo);
        item.classList.toggle("nc-violates", is);
        button.setAttribute("aria-pressed", is);
      }
      const tally = element.querySelector(".nc-wrong");
      for (const side of ["base", "ours"])
        tally.dataset[side] = element.querySelectorAll(`.nc-${side} .nc-violates`).length;
      show(found().dataset.view);
    }

    function arrived() {
      const board = found();
      if (!board) return;
      const { query, dial } = board.dataset, address = new URL(location);
      address.searchParams.set("q", query);
      if (dial === "1") address.searchParams.delete("dial");
      else address.searchParams.set("dial", dial);
      if (told !== null) history.replaceState(null, "", address);
      if (told === query) show(chosen || "ours");
      else {
        told = query;
        wrong = new Set();
        tell();
      }
      marked();
    }

    async function open(item) {
      const dialog = element.querySelector("dialog"), shown = item.querySelector("img");
      const picture = dialog.querySelector("img");
      picture.src = shown.src;
      picture.alt = dialog.querySelector("figcaption").textContent = shown.alt;
      dialog.dataset.photo = item.dataset.photo;
      dialog.showModal();
      if (dialog.querySelector("[data-do=drop]")) return; // Her own photo is here as large as it was sent.
      const large = await server.large(Number(item.dataset.photo));
      if (dialog.dataset.photo === item.dataset.photo && large) picture.src = large;
    }

    /* By mouse or arrow keys; who chooses what is shown already stops the story there. */
    function choose(view) {
      turn++;
      const from = found().dataset.view;
      chosen = view;
      if (from !== view) move(() => show(view, { rolled: from === "base" }));
    }

    element.addEventListener("click", (event) => {
      if (event.target.name === "nc-view") return choose(event.target.value);
      const button = event.target.closest("[data-do]"), dialog = element.querySelector("dialog");
      if (event.target === dialog) dialog.close(); // The shade around it.
      if (!button) return;
      const item = button.closest("li"), action = button.dataset.do;
      if (action === "open") open(item);
      else if (action === "close") dialog.close();
      else if (action === "wrong") {
        const photo = item.dataset.photo;
        wrong.delete(photo) || wrong.add(photo);
        marked();
      } else if (action === "share") share(button);
      else {
        if (dialog.open) dialog.close();
        trigger("ask", { action, photo: Number(dialog.dataset.photo ?? -1) });
      }
    });
    watch("value", arrived);
    arrived();
  }

  async function share(button) {
    const said = button.textContent;
    const text = button.dataset.text || location.href;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      prompt("Copy this:", text);
    }
    await wait(2000);
    button.textContent = said;
  }

  /* A small copy of a photo as a data URI; the file itself where this browser cannot decode it. */
  async function small(file) {
    try {
      const picture = await createImageBitmap(file);
      const scale = Math.min(1, SMALL / Math.max(picture.width, picture.height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.max(1, picture.width * scale);
      canvas.height = Math.max(1, picture.height * scale);
      const pen = canvas.getContext("2d");
      pen.fillStyle = "white";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
      return canvas.toDataURL("image/jpeg", 0.9);
    } catch {
      return new Promise((done) => {
        const reader = new FileReader();
        reader.onload = () => done(reader.result);
        reader.onerror = () => done("");
        reader.readAsDataURL(file);
      });
    }
  }

  /* A box for photos of the visitor's own, which never become a file on the server. */
  function photos(element, trigger) {
    const input = element.querySelector("input"), said = element.querySelector("output");
    async function send(files) {
      const images = [...files].filter((file) => file.size);
      const sent = [];
      for (const file of images.slice(0, 201)) {
        said.textContent = `Reading ${sent.length + 1} of ${images.length} …`;
        const large = file.size > 20 * 2 ** 20 && /hei[cf]$/i.test(file.name);
        sent.push({ name: file.name, data: large ? "" : await small(file) });
      }
      said.textContent = "";
      input.value = "";
      if (sent.length) trigger("upload", { photos: sent });
    }
    input.addEventListener("change", () => send(input.files));
    element.addEventListener("dragover", (event) => event.preventDefault());
    element.addEventListener("drop", (event) => {
      event.preventDefault();
      send(event.dataTransfer.files);
    });
    element.addEventListener("click", (event) => {
      if (event.target.closest("[data-do=clear]")) trigger("clear");
    });
  }

  /* The camera: a frame at a time goes to both models, the next one when the answer has come. */
  function camera(element, server) {
    const video = element.querySelector("video"), button = element.querySelector("[data-do=camera]");
    const answer = element.querySelector(".nc-answer"), canvas = document.createElement("canvas");
    let stream = null;
    const stop = () => {
      stream?.getTracks().forEach((track) => track.stop());
      stream = video.srcObject = null;
      button.textContent = "Start the camera";
    };
    async function watchIt() {
      while (stream) {
        if (element.checkVisibility() && video.videoWidth) {
          canvas.width = SMALL;
          canvas.height = (SMALL * video.videoHeight) / video.videoWidth;
          canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
          const captions = [...element.querySelectorAll("input")].map((input) => input.value);
          const html = await server.look(canvas.toDataURL("image/jpeg", 0.8), captions);
          if (stream) answer.innerHTML = html;
        }
        await wait(250);
      }
    }
    button.addEventListener("click", async () => {
      if (stream) return stop();
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
      } catch (error) {
        answer.textContent = `The camera cannot be used: ${error.message}.`;
        return;
      }
      video.srcObject = stream;
      button.textContent = "Stop the camera";
      await video.play();
      watchIt();
    });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-do=copy]");
    if (button) share(button);
  });
  return { results, photos, camera };
})();
