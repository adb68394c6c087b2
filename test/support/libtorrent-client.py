#!/usr/bin/python3
"""libtorrent (Debian's python3-libtorrent) as a peer for the tests: libtorrent-client.py ROLE TORRENT DIR IP PORT ENCRYPTION.

ROLE is seed or leech, ENCRYPTION is required (RC4) or preferred, its default. Says {"event": "ready"} when it joined, {"event": "complete"} when all is
there and written; runs until SIGTERM.
"""
import json
import sys

import libtorrent as lt

role, torrent, directory, ip, port, encryption = sys.argv[1:]


def say(event):
    print(json.dumps({"event": event}), flush=True)


session = lt.session(
    {
        "listen_interfaces": f"{ip}:{port}",
        "enable_dht": False,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "alert_mask": lt.alert.category_t.error_notification
        | lt.alert.category_t.status_notification
        | lt.alert.category_t.storage_notification,
    }
)
if encryption == "required":
    forced = {"out_enc_policy": 0, "in_enc_policy": 0, "allowed_enc_level": 2, "prefer_rc4": True}
    session.apply_settings(forced)
params = lt.add_torrent_params()
params.ti = lt.torrent_info(torrent)
params.save_path = directory
params.flags = lt.torrent_flags.update_subscribe
handle = session.add_torrent(params)
is_flushing = False
is_checked = False
while True:
    session.wait_for_alert(200)
    for alert in session.pop_alerts():
        if isinstance(alert, lt.torrent_checked_alert) and not is_checked:
            is_checked = True
            say("ready")
        if isinstance(alert, lt.cache_flushed_alert) and is_flushing:
            say("complete")
    if is_checked and not is_flushing and handle.status().is_seeding:
        is_flushing = True
        handle.flush_cache()
