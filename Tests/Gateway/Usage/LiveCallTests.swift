import Base
import Identity
import JSON
import Loop
import Metering
import Redis
import TestKit
import Testing

@testable import Gateway

/// Calls as they come into the books, as whoever watches them sees it.
struct LiveCallTests {
    /// What was read of a stream so far.
    private final class Reading {
        private let next: () async throws -> String?
        private var text = ""
        private(set) var hasEnded = false

        init(_ next: @escaping () async throws -> String?) { self.next = next }

        /// The next event, as its lines; comments are left out.
        func event() async throws -> [String: String]? {
            while true {
                while let end = text.firstRange(of: "\n\n") {
                    let lines = text[..<end.lowerBound].split(separator: "\n")
                    text = String(text[end.upperBound...])
                    var event: [String: String] = [:]
                    for line in lines where !line.hasPrefix(":") {
                        let parts = line.split(separator: ":", maxSplits: 1)
                        event[String(parts[0])] = parts[1].trimmingPrefix(" ").description
                    }
                    if event["event"] != nil { return event }
                }
                guard let more = try await next() else {
                    hasEnded = true
                    return nil
                }
                text += more
            }
        }

        func call() async throws -> JSONDocument {
            let event = try #require(try await event())
            #expect(event["event"] == "call", "\(event)")
            let document = try JSONDocument(parsing: Array((event["data"] ?? "").utf8))
            #expect(document["id"]?.string == event["id"])
            return document
        }

        /// Until `wanted` comes by.
        func wait(for wanted: String) async throws {
            while !text.contains(wanted) {
                guard let more = try await next() else {
                    Issue.record("it ended without \(wanted): \(text)")
                    return
                }
                text += more
            }
        }
    }

    private static var options: ManagementWorld.Options {
        var options = ManagementWorld.Options()
        options.longestWatch = .seconds(20)
        return options
    }

    /// Waits until an organization is known to be watched.
    private static func awaitWatcher(of person: ManagementWorld.Person, _ world: ManagementWorld) async throws
    {
        while world.live.watched(among: [person.organization], at: .now()).isEmpty {
            try await world.loop.sleep(for: .milliseconds(5))
        }
    }

    @Test func `each call comes as it is booked, none of another organization, and only what is asked for`()
        async throws
    {
        try await ManagementWorld.run(Self.options) { world in
            let (ann, bob) = (try await world.newPerson("ann"), try await world.newPerson("bob"))
            try await world.stream("/api/v1/events?model=openai/gpt-5", as: .bearer(ann.token)) {
                status, next in
                #expect(status == 200)
                let reading = Reading(next)
                try await Self.awaitWatcher(of: ann, world)
                try await world.use(bob)
                try await world.use(ann) { _, event in
                    event.requestID = "other"
                    event.model = "x"
                    event.attempts[0].model = "anthropic/other"
                }
                try await world.use(ann) { _, event in event.requestID = "wanted" }
                let call = try await reading.call()
                #expect(call["request_id"]?.string == "wanted")
                #expect(call["charge"]?["nano"]?.string == "54399600")
                #expect(call["attempts"]?.element(0)?["latency_ms"]?.int == 500)
            }
        }
    }

    @Test func `calls that another process has booked come too`() async throws {
        try await ManagementWorld.run(Self.options) { world in
            let ann = try await world.newPerson("ann")
            let url = try RedisURL(world.redisServer.url)
            let redis = RedisClient(url, on: world.loop)
            let others = LiveCalls()
            let channel = LiveCallChannel(url, others, redis, on: world.loop)
            try await world.stream("/api/v1/events", as: .bearer(ann.token)) { _, next in
                let reading = Reading(next)
                try await Self.awaitWatcher(of: ann, world)
                // As the word is repeated every few seconds.
                others.heard(ofWatcherOf: ann.organization, at: .now())
                while !redis.isReady { try await world.loop.sleep(for: .milliseconds(5)) }
                channel.booked(try await world.use(ann, tells: false))
                let call = try await reading.call()
                #expect(call["request_id"]?.string == "req_0")
            }
            channel.close()
            await redis.close(drainingUntil: .now() + .seconds(1))
        }
    }

    @Test func `whoever comes again is told what came meanwhile`() async throws {
        try await ManagementWorld.run(Self.options) { world in
            let ann = try await world.newPerson("ann")
            try await world.use(ann, 3)
            let listed = try await world.send("GET", "/api/v1/requests", as: ann)
            let oldest = try #require(listed.list("data").last?["id"]?.string)
            try await world.stream(
                "/api/v1/events", as: .bearer(ann.token), fields: [("Last-Event-ID", oldest)]
            ) { _, next in
                let reading = Reading(next)
                let calls = [try await reading.call(), try await reading.call()]
                #expect(calls.map { $0["request_id"]?.string } == ["req_1", "req_2"])
            }
            let wrong = try await world.send(
                "GET", "/api/v1/events", as: .bearer(ann.token), fields: [("Last-Event-ID", "7")])
            #expect(wrong.status == 422 && wrong.code == "invalid_event_id", "\(wrong.text)")
        }
    }

    @Test func `it ends when the key is revoked, and says so`() async throws {
        try await ManagementWorld.run(Self.options) { world in
            let ann = try await world.newPerson("ann")
            let made = try await world.send(
                "POST", "/api/auth/api-keys", as: ann, #"{"name":"watcher","scopes":["read"]}"#)
            let key = try #require(made.json?["key"]?.string, "\(made.text)")
            let id = try #require(made.json?["id"]?.string)
            try await world.stream("/api/v1/events", as: .bearer(key)) { status, next in
                #expect(status == 200)
                let reading = Reading(next)
                try await Self.awaitWatcher(of: ann, world)
                let revoked = try await world.send("DELETE", "/api/auth/api-keys/\(id)", as: ann)
                #expect(revoked.status < 300, "\(revoked.text)")
                let end = try await reading.event()
                #expect(end?["event"] == "end" && end?["data"] == #"{"reason":"credential"}"#)
                #expect(try await reading.event() == nil)
            }
        }
    }

    @Test func `it ends when the server stops`() async throws {
        try await ManagementWorld.run(Self.options) { world in
            let ann = try await world.newPerson("ann")
            try await world.stream("/api/v1/events", as: .bearer(ann.token)) { _, next in
                let reading = Reading(next)
                try await Self.awaitWatcher(of: ann, world)
                let stopping = world.loop.spawn { await world.stopServing() }
                let end = try await reading.event()
                #expect(end?["data"] == #"{"reason":"stopping"}"#)
                await stopping.value
            }
        }
    }

    @Test func `who is silent for long gives a sign of life`() async throws {
        var options = Self.options
        options.silence = .milliseconds(150)
        try await ManagementWorld.run(options) { world in
            let ann = try await world.newPerson("ann")
            try await world.stream("/api/v1/events", as: .bearer(ann.token)) { _, next in
                try await Reading(next).wait(for: ": still here")
            }
        }
    }

    @Test func `no more may watch than there is room for, and whoever ends makes room`() throws {
        let calls = LiveCalls()
        let organization = UUID.make()
        var watches = (0..<LiveCalls.mostWatchers).map { _ in calls.watch(organization) }
        #expect(watches.allSatisfy { $0 != nil })
        #expect(calls.watch(organization) == nil && calls.watch(.make()) != nil)
        watches.removeLast()
        #expect(calls.watch(organization) != nil)
        watches = []
        #expect(calls.organizations.isEmpty)
    }

    @Test func `who reads too slowly is told how many calls were left out`() throws {
        let calls = LiveCalls()
        let organization = UUID.make()
        let watch = try #require(calls.watch(organization))
        for _ in 0..<3 { calls.heard(of: (0..<400).map { _ in UUID.make() }, of: organization) }
        let inbox = watch.take()
        #expect(inbox.calls.count == LiveCalls.mostWaiting && inbox.lost == 200 && !inbox.mayHaveLost)
        #expect(watch.take().calls.isEmpty)
        calls.interrupted()
        #expect(watch.take().mayHaveLost)
    }

    @Test func `nothing is said as long as nobody watches`() {
        let calls = LiveCalls()
        let organization = UUID.make()
        let now = Instant.now()
        #expect(calls.watched(among: [organization], at: now).isEmpty)
        calls.heard(ofWatcherOf: organization, at: now)
        #expect(calls.watched(among: [organization, .make()], at: now) == [organization])
        #expect(calls.watched(among: [organization], at: now + LiveCalls.lease).isEmpty)
    }
}
