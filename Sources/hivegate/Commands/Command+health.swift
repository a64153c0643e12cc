import Base
import HTTPClient
import Loop

extension Command {
    private static let deadlines = HTTPClientRequest.Deadlines(
        connect: .seconds(2), firstByte: .seconds(3), betweenBytes: .seconds(3), total: .seconds(5))

    static let health = Command(
        name: "health", summary: "ask a running gateway whether it is ready", synopsis: "[URL]",
        description: """
            Asks /readyz of the gateway at URL (http://HOST:PORT by default) and prints the answer. Exits with 0 if it is
            ready and with 1 otherwise.
            """
    ) { arguments throws(Misuse) in
        guard arguments.count <= 1 else { throw Misuse(reason: "takes one URL at the most") }
        return Program.run { configuration, loop, _ in
            let url = arguments.first ?? configuration.url(port: configuration.port)
            let request = HTTPClientRequest(url: "\(url)/readyz", deadlines: deadlines)
            let (status, body) = try await HTTPClient(on: loop).withResponse(request) { response in
                (response.status, try await response.body(limit: 65_536))
            }
            Console.print(String(decoding: body, as: UTF8.self))
            if status != 200 { throw NotReady(status: status) }
        }
    }

    private struct NotReady: Error, CustomStringConvertible {
        let status: Int
        var description: String { "not ready (status \(status))" }
    }
}
