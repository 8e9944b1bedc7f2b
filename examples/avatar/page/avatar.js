// The avatar's link: a peer connection between this page and the service, arranged over a VoiceCall.
//
//   const link = new AvatarLink(call, document.querySelector("video"));
//   link.addEventListener("state", ({ detail }) => console.log(detail)); // of RTCPeerConnection
//
// The server says which ICE servers there are, once for each session of the service; each time, a new link is made.

const GATHERING_MS = 5000; // a VPN adapter may hold the last candidates back for longer than anybody waits

export class AvatarLink extends EventTarget {
  #call;
  #video;
  #relayOnly;
  #peer;
  #muted;

  // relayOnly: only through the TURN server, for networks that let nothing else pass.
  constructor(call, video, { relayOnly = false } = {}) {
    super();
    this.#call = call;
    this.#video = video;
    this.#relayOnly = relayOnly;
    call.addEventListener("avatar.ice_servers", ({ detail }) => this.#offer(detail.servers));
    call.addEventListener("avatar.answer", ({ detail }) => this.#answered(detail.sdp));
    call.addEventListener("closed", () => this.#close());
  }

  // Nothing is to be heard from now on; what the service sends until it has heard of it, neither.
  hush() {
    clearTimeout(this.#muted);
    this.#video.muted = true;
    this.#muted = setTimeout(() => (this.#video.muted = false), 1000);
  }

  // What RTCPeerConnection counts of pictures and sound; empty before there is a link.
  async stats() {
    const found = {};
    for (const report of (await this.#peer?.getStats())?.values() ?? [])
      if (report.type === "inbound-rtp") found[report.kind] = report;
    return found;
  }

  async #offer(iceServers) {
    this.#close();
    const peer = new RTCPeerConnection({ iceServers, iceTransportPolicy: this.#relayOnly ? "relay" : "all" });
    this.#peer = peer;
    const stream = new MediaStream();
    this.#video.srcObject = stream;
    peer.ontrack = ({ track }) => stream.addTrack(track);
    peer.onconnectionstatechange = () => this.#tell(peer);
    for (const kind of ["video", "audio"]) peer.addTransceiver(kind, { direction: "recvonly" });
    peer.createDataChannel("eventChannel"); // only so that the offer has a section for data
    await peer.setLocalDescription();
    await this.#gathered(peer);
    if (peer === this.#peer) this.#call.send({ type: "avatar.offer", sdp: peer.localDescription.sdp });
  }

  // There is no way to add candidates later.
  #gathered(peer) {
    return new Promise((gathered) => {
      const done = () => peer.iceGatheringState === "complete" && gathered();
      peer.addEventListener("icegatheringstatechange", done);
      setTimeout(gathered, GATHERING_MS);
      done();
    });
  }

  async #answered(sdp) {
    await this.#peer?.setRemoteDescription({ type: "answer", sdp });
    await this.#video.play(); // allowed, since the call began with a click
  }

  #tell(peer) {
    if (peer === this.#peer) this.dispatchEvent(new CustomEvent("state", { detail: peer.connectionState }));
  }

  #close() {
    this.#peer?.close();
    this.#peer = undefined;
    this.#video.srcObject = null;
  }
}
