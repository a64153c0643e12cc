import Base
import HTTPClient
import Loop
import TestKit
import Testing

struct HTTPClientTLSTests {
    private func withClient(
        speaksHTTP2: Bool = true, _ body: @escaping @Sendable (PrivateNginx, EventLoop) async throws -> Void
    ) async throws {
        let nginx = try PrivateNginx(speaksHTTP2: speaksHTTP2)
        defer { nginx.stop() }
        try await onLoop { loop in try await body(nginx, loop) }
    }

    private func trusting(_ nginx: PrivateNginx) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.authorities = nginx.certificate
        return configuration
    }

    @Test(arguments: [true, false])
    func `HTTP/2 is spoken where the upstream offers it, and HTTP/1.1 elsewhere`(offered: Bool) async throws {
        try await withClient(speaksHTTP2: offered) { nginx, loop in
            let client = HTTPClient(on: loop, self.trusting(nginx))
            for _ in 0..<3 {
                let (body, version) = try await client.withResponse(HTTPClientRequest(url: nginx.url)) {
                    response in
                    (try await response.body(limit: 100), response.majorVersion)
                }
                #expect(String(decoding: body, as: UTF8.self) == (offered ? "HTTP/2.0" : "HTTP/1.1"))
                #expect(version == (offered ? 2 : 1))
            }
        }
    }

    @Test func `requests at once share one HTTP/2 connection once it is there`() async throws {
        try await withClient { nginx, loop in
            let client = HTTPClient(on: loop, self.trusting(nginx))
            _ = try await client.withResponse(HTTPClientRequest(url: nginx.url)) {
                try await $0.body(limit: 100)
            }
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        try await client.withResponse(HTTPClientRequest(url: nginx.url)) { response in
                            _ = try await response.body(limit: 100)
                            return response.usedExistingConnection
                        }
                    }
                }
                for try await isReused in group { #expect(isReused) }
            }
        }
    }

    @Test func `a certificate that nobody vouches for is refused before anything is sent`() async throws {
        try await withClient { nginx, loop in
            await #expect {
                try await HTTPClient(on: loop).withResponse(HTTPClientRequest(url: nginx.url)) { _ in }
            } throws: { error in
                let error = error as? HTTPClientError
                return error?.kind == .certificate && error?.mayHaveExecuted == false
            }
        }
    }

    @Test func `a certificate for another name is refused`() async throws {
        try await withClient { nginx, loop in
            let url = "https://127.0.0.1:\(nginx.port)"
            await #expect {
                try await HTTPClient(on: loop, self.trusting(nginx)).withResponse(HTTPClientRequest(url: url))
                { _ in }
            } throws: { error in
                (error as? HTTPClientError)?.kind == .certificate
            }
        }
    }
}
