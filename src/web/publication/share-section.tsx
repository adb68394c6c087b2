/** Everything to share: link, .torrent, magnet, command lines, QR code, HTML, and how a CI does it. */
import { createResource, type JSX, Match, Show, Switch } from "solid-js";
import { encode } from "uqr";
import type { ApiPublicationView } from "../../protocol/api/values.ts";
import { api, messageOf } from "../api.ts";
import { CopyLine, Trouble } from "../parts/basics.tsx";
import { commandsOf } from "./commands.ts";

/** The section. */
export function ShareSection(props: { readonly name: string }) {
  const [view] = createResource(
    () => props.name,
    (name) => api.publication(name),
  );
  return (
    <Switch fallback={<p class="quiet">Loading …</p>}>
      <Match when={view.error !== undefined}>
        <Trouble text={messageOf(view.error)} />
      </Match>
      <Match when={view()}>{(loaded) => <Shares view={loaded()} />}</Match>
    </Switch>
  );
}

function Shares(props: { readonly view: ApiPublicationView }) {
  const commands = () => commandsOf(props.view, location.origin);
  return (
    <div class="stack wide">
      <Show when={props.view.catalogue !== "public"}>
        <Whom view={props.view} />
      </Show>
      <section class="card share">
        <div class="stack">
          <h2>Give people this link</h2>
          <CopyLine label="Link" text={props.view.pageUrl} />
          <div class="row">
            <a class="button main" href={`/p/${props.view.name}`}>
              Open the download page
            </a>
            <a class="button" href={`/p/${props.view.name}.torrent`} download="">
              Torrent file
            </a>
            <Show when={props.view.magnet}>
              {(magnet) => (
                <a class="button" href={magnet()}>
                  Magnet link
                </a>
              )}
            </Show>
          </div>
        </div>
        <QrCode text={props.view.pageUrl} />
      </section>
      <div class="columns">
        <section class="card stack">
          <h2>Other ways to get it</h2>
          <Labelled name="Torrent address">
            <CopyLine label="Torrent address" text={props.view.torrentUrl} />
          </Labelled>
          <Show when={props.view.magnet}>
            {(magnet) => (
              <Labelled name="Magnet link">
                <CopyLine label="Magnet link" text={magnet()} />
              </Labelled>
            )}
          </Show>
          <Labelled name="Our client">
            <CopyLine label="Command of our client" text={commands().get} />
          </Labelled>
          <Show when={commands().curl}>
            {(curl) => (
              <Labelled name="curl">
                <CopyLine label="curl command" text={curl()} />
              </Labelled>
            )}
          </Show>
          <Labelled name="For a web page">
            <CopyLine label="HTML snippet" text={commands().html} />
          </Labelled>
        </section>
        <div class="stack wide">
          <Signature view={props.view} />
          <section class="card stack">
            <h2>From a CI</h2>
            <p class="quiet small">
              The next version, for the same people by the same policy. In the folder that it lies
              in, with a token in <code>BTPUBLISHER_TOKEN</code> (
              <a href="/admin/access/tokens">make one</a>):
            </p>
            <Labelled name="One command, from any machine">
              <CopyLine label="Publish command" text={commands().publish} />
            </Labelled>
            <Labelled name={httpCallName(props.view)}>
              <CopyLine label="HTTP call to publish" text={commands().http} />
            </Labelled>
          </section>
        </div>
      </div>
    </div>
  );
}

/** Who signed it, and how to check that; or how to sign it. */
function Signature(props: { readonly view: ApiPublicationView }) {
  const commands = () => commandsOf(props.view, location.origin);
  return (
    <section class="card stack">
      <h2>Signature</h2>
      <Show
        when={props.view.signature}
        fallback={
          <>
            <p class="quiet small">
              Not signed. A signature lets people check that the files are yours, wherever they got
              them. <code>btpublisher key</code> makes a key; then:
            </p>
            <Labelled name="Sign it, where the key is">
              <CopyLine label="Sign command" text={commands().sign} />
            </Labelled>
          </>
        }
      >
        {(signature) => (
          <>
            <p class="quiet small">
              Signed. Whoever has your public key can check that the files are yours, wherever they
              came from. Show the key where this server cannot change it, too: on your website, in a
              README. What is signed is the{" "}
              <a href={`/p/${props.view.name}.sha256`}>list of checksums</a>; the{" "}
              <a href={`/p/${props.view.name}.sha256.minisig`}>signature</a> is a file beside it.
            </p>
            <Labelled name="Signed by">
              <CopyLine label="Public key" text={signature().publicKey} />
            </Labelled>
            <Labelled name="Check it by hand">
              <CopyLine label="Command to check" text={commands().verify ?? ""} />
            </Labelled>
          </>
        )}
      </Show>
    </section>
  );
}

function httpCallName({ isDirectory }: ApiPublicationView): string {
  return isDirectory
    ? "One HTTP call, on the server's machine, with a maintainer's token"
    : "One HTTP call, from any machine";
}

/** For whom the link is, where that is not everybody. */
function Whom(props: { readonly view: ApiPublicationView }) {
  const grants = () => `/admin/access/grants?publication=${encodeURIComponent(props.view.name)}`;
  return (
    <p class="notice">
      <Show
        when={props.view.catalogue === "private"}
        fallback="For members: the link works for whoever has an account here."
      >
        Private: the link works for those to whom it was granted, and for nobody else.{" "}
        <a href={grants()}>Give somebody access</a>
      </Show>
    </p>
  );
}

function Labelled(props: { readonly name: string; readonly children: JSX.Element }) {
  return (
    <div class="stack tight">
      <h3 class="label">{props.name}</h3>
      {props.children}
    </div>
  );
}

/** Dark on light in any theme: cameras expect that. */
function QrCode(props: { readonly text: string }) {
  const code = () => encode(props.text, { border: 3 });
  const path = () =>
    code()
      .data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])))
      .join("");
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${code().size} ${code().size}`}
      role="img"
      aria-label="QR code of the link"
      shape-rendering="crispEdges"
    >
      <path fill="#000000" d={path()} />
    </svg>
  );
}
