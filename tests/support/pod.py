"""A Pod that answers by script, over real HTTP."""

import http.server
import json
import threading
import time


class ScriptedPod:
    """Answers by script: (status, body) for each method; remembers what it was asked."""

    def __init__(self):
        self.post_answers, self.state, self.requests, self.hang_s, self.headers = [(200, "OK")], None, [], 0, {}
        self.on_post = None
        """Called when a call has come in, before it is answered."""
        pod = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                pod.requests.append(("POST", self.path, self.headers["Authorization"], body))
                if pod.on_post:
                    pod.on_post()
                status, text = pod.post_answers.pop(0) if len(pod.post_answers) > 1 else pod.post_answers[0]
                time.sleep(pod.hang_s)
                self.reply(status, text)

            def do_GET(self):
                pod.requests.append(("GET", self.path, self.headers["Authorization"], None))
                self.reply(*((404, "") if pod.state is None else (200, json.dumps(pod.state))))

            def reply(self, status, text):
                if status == 0:  # closes without an answer
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in pod.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/rest"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def methods(self):
        return [request[0] for request in self.requests]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
