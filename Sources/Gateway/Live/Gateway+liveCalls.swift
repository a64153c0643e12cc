import Analytics
import Base
import HTTPServer
import HTTPWire
import Identity
import JSON
import Loop

/// The handler of `LiveCallEndpoints`.
extension Gateway {
    /// What has come is looked at so often.
    private static let glance = Duration.milliseconds(100)

    func watchCalls(_ call: APICall) async throws -> Reply {
        let filter = CallFilter(call.query)
        let last = try Self.lastEvent(call)
        guard let watch = live.watch(call.principal.organization) else { throw Problem.tooManyWatchers }
        return .stream(["Content-Type": "text/event-stream"]) { [self] stream in
            try await tell(watch, filter, after: last, call, stream)
        }
    }

    private static func lastEvent(_ call: APICall) throws(Problem) -> UUID? {
        guard let bytes = call.exchange.request.fields["last-event-id"], !bytes.isEmpty else { return nil }
        guard let id = UUID(String(decoding: bytes, as: UTF8.self)) else {
            throw Problem(
                faults: [Problem.Fault("Last-Event-ID", "must be the id of an event, or left out")],
                code: "invalid_event_id")
        }
        return id
    }

    private func tell(
        _ watch: LiveCalls.Watch, _ filter: CallFilter, after last: UUID?, _ call: APICall,
        _ stream: ResponseStream
    ) async throws {
        let organization = call.principal.organization
        let begin = Instant.now()
        var (heard, confirmed) = (begin, begin)
        try await stream.write("retry: 2000\n\n")
        if let last {
            for call in try await analytics.calls(of: organization, filter, bookedAfter: last) {
                try await stream.write(Self.event(call))
            }
        }
        while !call.exchange.isDraining {
            try await loop.sleep(for: Self.glance)
            let news = watch.take()
            if news.lost > 0 || news.mayHaveLost {
                let count = news.mayHaveLost ? "null" : "\(news.lost)"
                try await stream.write("event: dropped\ndata: {\"count\":\(count)}\n\n")
            }
            if !news.calls.isEmpty {
                let calls = try await analytics.calls(of: organization, filter, named: news.calls)
                for call in calls { try await stream.write(Self.event(call)) }
                if !calls.isEmpty { heard = .now() }
            }
            let now = Instant.now()
            if now - begin >= limits.longestWatch { return try await stream.write(Self.end("time")) }
            if now - heard >= limits.silence {
                try await stream.write(": still here\n\n")
                heard = now
            }
            if now - confirmed >= limits.watcherCheck {
                guard await mayStillWatch(call) else { return try await stream.write(Self.end("credential")) }
                confirmed = now
            }
        }
        try await stream.write(Self.end("stopping"))
    }

    /// Whether what the caller has shown still lets them. Where that cannot be asked now it did a moment ago.
    private func mayStillWatch(_ call: APICall) async -> Bool {
        let access = Access.member(.readOrganization)
        do {
            guard let principal = try await principal(of: call.exchange, for: access) else { return false }
            try access.admit(principal)
            return principal.organization == call.principal.organization
        } catch let problem as Problem {
            return problem.kind == .unavailable
        } catch {
            return true
        }
    }

    private static func end(_ reason: String) -> String {
        "event: end\ndata: {\"reason\":\"\(reason)\"}\n\n"
    }

    private static func event(_ call: UsedCall) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { $0.fields(of: call) }
        return Array("id: \(call.id)\nevent: call\ndata: ".utf8) + json.bytes + Array("\n\n".utf8)
    }
}

extension Problem {
    fileprivate static let tooManyWatchers = Problem(
        .rateLimited, code: "too_many_watchers",
        "\(LiveCalls.mostWatchers) streams tell of this organization's calls already. End one, or read GET /api/v1/requests.",
        field: nil, retryAfterSeconds: 30)
}
