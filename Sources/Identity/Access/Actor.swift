package import Base

/// Who does something that is written down, and from where.
package struct Actor: Sendable {
    package var kind: Kind
    package var user: UUID?
    package var key: UUID?
    package var address: String?
    package var requestID: String?

    package enum Kind: String, Sendable {
        case session, key, sso
        /// Somebody at the machine's own command line.
        case command
        /// Hivegate by itself.
        case system
    }

    package init(
        _ kind: Kind, user: UUID? = nil, key: UUID? = nil, address: String? = nil, requestID: String? = nil
    ) {
        self.kind = kind
        self.user = user
        self.key = key
        self.address = address
        self.requestID = requestID
    }

    package init(_ principal: Principal, address: String?, requestID: String?) {
        switch principal.credential {
        case .session(_, _, let bySSO):
            self.init(
                bySSO ? .sso : .session, user: principal.user, address: address, requestID: requestID)
        case .key(let caller):
            self.init(.key, user: principal.user, key: caller.key, address: address, requestID: requestID)
        }
    }

    /// For lists of what was done: the person, or else how it came.
    package var name: String { user?.description ?? kind.rawValue }

    package static let command = Actor(.command)
    package static let system = Actor(.system)
}
