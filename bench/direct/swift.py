# OpenStack's own client library, driven by lines on standard input (bench/Berth.Bench/Targets/DirectProgram.cs).
# usage: SWIFT_AUTH_URL=… SWIFT_USER=… SWIFT_KEY=… SWIFT_CONTAINER=… python3 swift.py
import os
import sys
import time

from swiftclient.client import Connection
from swiftclient.service import SwiftService, SwiftUploadObject

auth, user, key, container = (os.environ[n] for n in ("SWIFT_AUTH_URL", "SWIFT_USER", "SWIFT_KEY", "SWIFT_CONTAINER"))
connection = Connection(authurl=auth, user=user, key=key, auth_version="1")
connection.put_container(container)
connection.put_container(container + "_segments")
print("ready", flush=True)
service = SwiftService(options={"auth": auth, "user": user, "key": key, "auth_version": "1.0", "segment_threads": 3})

for line in sys.stdin:
    words = line.split()
    start = time.monotonic()
    if words[0] == "put":
        size = os.path.getsize(words[2])
        options = {"segment_size": str(20 << 20), "use_slo": True}
        for result in service.upload(container, [SwiftUploadObject(words[2], object_name=words[1], options=options)]):
            if not result["success"]:
                raise result["error"]
    else:
        size = 0
        for piece in connection.get_object(container, words[1], resp_chunk_size=1 << 20)[1]:
            size += len(piece)
    print(time.monotonic() - start, size, flush=True)
