import CLinux

/// What a registration asks the kernel to report.
package struct Interest: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let read = Interest(rawValue: EPOLLIN.rawValue)
    package static let write = Interest(rawValue: EPOLLOUT.rawValue)
    /// The peer shut down its sending side, or left.
    package static let peerClosed = Interest(rawValue: EPOLLRDHUP.rawValue)
    /// Report changes only: whoever registers so reads and writes until the kernel says EAGAIN.
    package static let edgeTriggered = Interest(rawValue: EPOLLET.rawValue)
}

/// What the kernel reported of a descriptor.
///
/// For each report it is asked by its properties: what all option sets have is generic code, which took longer than
/// what is done with the answer.
package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let read = Readiness(rawValue: EPOLLIN.rawValue)
    package static let write = Readiness(rawValue: EPOLLOUT.rawValue)
    package static let peerClosed = Readiness(rawValue: EPOLLRDHUP.rawValue)
    package static let error = Readiness(rawValue: EPOLLERR.rawValue | EPOLLHUP.rawValue)

    package var canRead: Bool { rawValue & EPOLLIN.rawValue != 0 }
    package var canWrite: Bool { rawValue & EPOLLOUT.rawValue != 0 }
    package var hasError: Bool { rawValue & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 }
    package var hasPeerLeft: Bool { hasError || rawValue & EPOLLRDHUP.rawValue != 0 }
}
