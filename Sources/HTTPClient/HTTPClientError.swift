import HTTPWire

/// Why there is no (whole) answer.
package struct HTTPClientError: Error, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    package let kind: Kind
    /// Whether the other side may have begun to act on the request.
    package let mayHaveExecuted: Bool
    /// What the library says; it can hold addresses, so it is for the log.
    package let detail: String

    package enum Kind: String, Sendable {
        case invalidRequest, tooManyTransfers
        case resolve, connect, connectTimeout, certificate, addressRefused
        case firstByteTimeout, betweenBytesTimeout, totalTimeout
        case sendFailed, connectionLost, protocolError, tooLarge
        case cancelled
    }

    package init(_ kind: Kind, mayHaveExecuted: Bool = false, detail: String = "") {
        self.kind = kind
        self.mayHaveExecuted = mayHaveExecuted
        self.detail = detail
    }

    init(_ fault: ResponseFault) {
        self.init(
            fault == .tooLarge ? .tooLarge : .protocolError, mayHaveExecuted: true,
            detail: fault.reason.description)
    }

    /// Safe to show to anyone.
    package var description: String {
        switch kind {
        case .invalidRequest: "the request to the upstream is malformed"
        case .tooManyTransfers: "too many upstream requests are under way"
        case .resolve: "the upstream's name cannot be resolved"
        case .connect: "the upstream cannot be reached"
        case .connectTimeout: "the upstream did not accept a connection in time"
        case .certificate: "the upstream's certificate cannot be verified"
        case .addressRefused: "the upstream's address is not allowed"
        case .firstByteTimeout: "the upstream did not begin to answer in time"
        case .betweenBytesTimeout: "the upstream stopped in the middle of its answer"
        case .totalTimeout: "the upstream did not finish in time"
        case .sendFailed: "the request could not be sent to the upstream"
        case .connectionLost: "the upstream closed the connection before its answer was whole"
        case .protocolError: "the upstream's answer is not valid HTTP"
        case .tooLarge: "the upstream's answer is too large"
        case .cancelled: "the request was cancelled"
        }
    }

    package var debugDescription: String { "\(kind.rawValue): \(detail)" }
}
