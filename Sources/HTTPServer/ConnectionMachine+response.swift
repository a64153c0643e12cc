package import Base
package import HTTPWire

extension ConnectionMachine {
    /// How a response must be written.
    package struct ResponsePlan: Equatable, Sendable {
        package var framing: ResponseFraming
        package var connection: ConnectionOption
        /// Whether the body's bytes are sent (HEAD and some statuses have none).
        package var sendsBody: Bool

        package init(framing: ResponseFraming, connection: ConnectionOption, sendsBody: Bool) {
            self.framing = framing
            self.connection = connection
            self.sendsBody = sendsBody
        }
    }

    /// A response begins: with a body of `length` bytes, or of unknown length. `nil` when one has begun
    /// before.
    package mutating func respond(status: Int, length: Int?) -> ResponsePlan? {
        guard phase == .handling, response == .none else { return nil }
        // What the client still sends of its body would be taken for its next request.
        if body != .none && body != .complete { keepsAlive = false }
        var plan = ResponsePlan(framing: .none, connection: .implied, sendsBody: false)
        if HTTPStatus.forbidsBody(status) {
            plan.framing = .none
        } else if let length {
            plan.framing = .length(length)
            plan.sendsBody = !isHead
        } else {
            plan.framing = isHTTP10 ? .untilClose : .chunked
            plan.sendsBody = !isHead
            if isHTTP10 { keepsAlive = false }
        }
        plan.connection = keepsAlive ? (isHTTP10 ? .keepAlive : .implied) : .close
        response = length == nil ? .started(plan.framing) : .complete
        return plan
    }

    package mutating func responseEnded() {
        if case .started = response { response = .complete }
    }

    /// The bytes belong to another protocol from here on. False when a response has begun before.
    package mutating func upgrade() -> Bool {
        guard phase == .handling, response == .none, body == .none else { return false }
        response = .upgraded
        keepsAlive = false
        return true
    }

    /// Whether anything of a response was said.
    package var isCommitted: Bool { response != .none }

    /// The handler has returned, and a response was given for it where it gave none. The answer is the
    /// connection's next phase.
    package mutating func handlerReturned(at now: Instant) -> Phase {
        guard phase == .handling else { return phase }
        let isBodyTaken = body == .none || body == .complete
        switch response {
        case .started(.untilClose): phase = .ending(.reset)
        // The other end is to read why its socket closes, also where it is still sending.
        case .upgraded where !peerHasLeft: phase = .ending(.linger)
        case .started, .none, .upgraded: phase = .ending(.close)
        case .complete where peerHasLeft: phase = .ending(.close)
        case .complete where !isBodyTaken: phase = .ending(.linger)
        case .complete: phase = keepsAlive ? .idle(since: now) : .ending(.close)
        }
        if case .idle = phase { (body, response) = (.none, .none) }
        return phase
    }
}
