import Base
import HTTPServer
import HTTPWire
import Identity
import Providers

extension Gateway {
    /// `POST /api/v1/generate`
    func generate(_ exchange: Exchange) async throws {
        try await answer(exchange, as: GenerateFront())
    }

    /// `GET /api/v1/chat/ws`
    func chatSocket(_ exchange: Exchange) async throws {
        exchange.responseFields.append("X-Request-Id", exchange.id)
        let offered = Self.offeredProtocols(exchange.request.fields)
        let key = offered.first { $0.starts(with: Self.keyProtocol) }?.dropFirst(Self.keyProtocol.count)
        let arrive: @Sendable () async throws -> Arrival = { [self] in
            try await self.arrival(at: exchange, presenting: key)
        }
        let arrival = try await arrive()
        guard try await keys.confirm(arrival) else { throw Problem.invalidKey }
        try Self.demand(.inference, of: arrival.caller)
        guard exchange.request.wantsUpgrade else { return Self.refuseWithoutUpgrade(exchange) }
        var fields = HTTPFields()
        // Never the one that is the key.
        if offered.contains(where: { $0.elementsEqual(Self.socketProtocol.utf8) }) {
            fields.append("Sec-WebSocket-Protocol", Self.socketProtocol)
        }
        let socket = try await exchange.upgradeToWebSocket(
            fields, messageLimit: ChatSocket.largestMessage)
        await ChatSocket(socket, exchange, self, caller: arrive).run()
    }

    private static func refuseWithoutUpgrade(_ exchange: Exchange) {
        let problem = Problem(
            .invalidRequest, code: "upgrade_required",
            "This address speaks WebSocket. Open it with a client of that protocol.")
        exchange.respond(
            426, ["Content-Type": "application/json", "Sec-WebSocket-Version": "13"],
            body: OpenAIProblem.body(problem, requestID: exchange.id))
    }

    private static let socketProtocol = "hivegate"
    /// Browsers cannot set fields, but name protocols that they would speak.
    private static let keyProtocol = Array("hivegate.key.".utf8)

    private static func offeredProtocols(_ fields: HTTPFields) -> [ArraySlice<UInt8>] {
        fields.values("sec-websocket-protocol").flatMap { $0.split(separator: 0x2C) }.map { item in
            var item = item.drop { $0 == 0x20 || $0 == 0x09 }
            while item.last == 0x20 || item.last == 0x09 { item.removeLast() }
            return item
        }
    }
}
