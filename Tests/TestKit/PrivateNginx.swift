package import Base
import Glibc

/// An nginx of a test's own, speaking TLS with a certificate that nobody but the test trusts.
// Everything is fixed once it is made.
package final class PrivateNginx: @unchecked Sendable {
    private static let program = "/usr/sbin/nginx"
    private static let startLimit = Duration.seconds(30)

    private let directory: String
    private let process: ServerProcess
    package let port: Int

    /// By name, as the certificate has it.
    package var url: String { "https://localhost:\(port)" }
    /// What a client must trust.
    package var certificate: String { "\(directory)/cert.pem" }

    /// Serves TLS, with HTTP/2 if asked for; every answer says which protocol it came by.
    package init(speaksHTTP2: Bool) throws(SystemError) {
        directory = TemporaryDirectory.make("nginx")
        port = freePort()
        let status = runToEnd([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", "\(directory)/key.pem", "-out", "\(directory)/cert.pem", "-days", "2", "-subj",
            "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
        ])
        precondition(status == 0, "openssl cannot make a certificate")
        let configuration = """
            daemon off; master_process off; pid \(directory)/pid; error_log \(directory)/log; events {}
            http {
                access_log off; client_body_temp_path \(directory)/body; proxy_temp_path \(directory)/proxy;
                fastcgi_temp_path \(directory)/f; uwsgi_temp_path \(directory)/u; scgi_temp_path \(directory)/s;
                server {
                    listen 127.0.0.1:\(port) ssl\(speaksHTTP2 ? " http2" : "");
                    ssl_certificate \(directory)/cert.pem; ssl_certificate_key \(directory)/key.pem;
                    location / { return 200 "$server_protocol"; }
                }
            }
            """
        try Files.write(Array(configuration.utf8), to: "\(directory)/nginx.conf", mode: 0o644)
        process = ServerProcess(
            [Self.program, "-c", "\(directory)/nginx.conf"], user: "root", deathSignal: "TERM",
            log: "\(directory)/output")
        let deadline = Instant.now() + Self.startLimit
        while !Files.exists("\(directory)/pid") {
            precondition(Instant.now() < deadline, "nginx does not start; see \(directory)/log")
            usleep(10_000)
        }
    }

    package func stop() {
        process.send(signal: SIGTERM)
        process.waitForEnd()
        TemporaryDirectory.remove(directory)
    }
}
