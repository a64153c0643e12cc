import Base

/// The opening handshake (RFC 6455, 4.2).
package enum WebSocketHandshake {
    package enum Fault: Error, Equatable, Sendable {
        case notAnUpgrade, wrongVersion, invalidKey

        package var status: Int { self == .wrongVersion ? 426 : 400 }

        package var reason: StaticString {
            switch self {
            case .notAnUpgrade: "This address speaks WebSocket; the request asks for something else."
            case .wrongVersion: "The only WebSocket version spoken here is 13."
            case .invalidKey: "The Sec-WebSocket-Key header field is not valid."
            }
        }
    }

    /// The value for `Sec-WebSocket-Accept`.
    package static func accept(_ request: RequestHead) throws(Fault) -> String {
        guard request.method == .get, request.version == .http11, request.wantsUpgrade,
            request.framing == .none,
            let protocols = request.fields["upgrade"], names(protocols, "websocket")
        else { throw .notAnUpgrade }
        guard request.fields.values("sec-websocket-version").map(Array.init) == [Array("13".utf8)]
        else { throw .wrongVersion }
        let keys = request.fields.values("sec-websocket-key")
        guard keys.count == 1, isKey(keys[0]) else { throw .invalidKey }
        return acceptValue(key: Array(keys[0]))
    }

    /// What a client must find in `Sec-WebSocket-Accept` after it sent `key`.
    package static func acceptValue(key: [UInt8]) -> String {
        Base64.encode(Digest.sha1(key + Array("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)))
    }

    /// Sixteen bytes in base64: 22 characters and two equals signs.
    private static func isKey(_ key: ArraySlice<UInt8>) -> Bool {
        key.count == 24 && key.suffix(2).allSatisfy { $0 == ASCII.equals }
            && key.dropLast(2).allSatisfy(Base64.isDigit)
    }

    private static func names(_ list: ArraySlice<UInt8>, _ word: StaticString) -> Bool {
        list.withUnsafeBytes { bytes in
            var found = false
            bytes.forEachListElement(in: 0..<bytes.count) { found = found || bytes.matches($0, word) }
            return found
        }
    }
}
