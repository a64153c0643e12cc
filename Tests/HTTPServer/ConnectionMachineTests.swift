import Base
import HTTPServer
import HTTPWire
import Testing

struct ConnectionMachineTests {
    static let start = Instant(nanoseconds: 1_000_000_000)

    private static func head(_ request: String) -> RequestHead {
        var parser = RequestHeadParser()
        guard case .head(let head, _) = parser.parse(Array(request.utf8)) else {
            preconditionFailure("not a request: \(request)")
        }
        return head
    }

    static let heads = [
        head("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), head("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
        head("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"),
        head("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"),
        head("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), head("GET / HTTP/1.0\r\n\r\n"),
        head("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
    ]

    private func machine(_ head: RequestHead? = nil) -> ConnectionMachine {
        var machine = ConnectionMachine(limits: HTTPServerLimits(), at: Self.start)
        if let head {
            machine.bytesArrived(at: Self.start)
            machine.headArrived(head)
        }
        return machine
    }

    @Test func `each phase has its deadline`() {
        var machine = machine()
        #expect(machine.deadline == Self.start + .seconds(75))
        let later = Self.start + .seconds(70)
        machine.bytesArrived(at: later)
        machine.bytesArrived(at: later + .seconds(9))
        #expect(machine.deadline == later + .seconds(10))
        machine.headArrived(Self.heads[2])
        #expect(machine.deadline == .never)
        #expect(machine.bodyWanted(at: later) == .read)
        #expect(machine.deadline == later + .seconds(10))
        machine.bodyArrived(3 * 1024)
        #expect(machine.deadline == later + .seconds(13))
        machine.bodyEnded()
        #expect(machine.deadline == .never)
    }

    @Test func `a deadline closes, refuses or fails the body, by phase`() {
        var idle = machine()
        #expect(idle.deadlinePassed() == .close && idle.phase == .ending(.close))
        var reading = machine()
        reading.bytesArrived(at: Self.start)
        #expect(reading.deadlinePassed() == .refuse && reading.phase == .ending(.linger))
        var body = machine(Self.heads[2])
        _ = body.bodyWanted(at: Self.start)
        #expect(body.deadlinePassed() == .failBody && body.phase == .handling)
        #expect(body.respond(status: 408, length: 0)?.connection == .close)
        #expect(body.handlerReturned(at: Self.start) == .ending(.linger))
    }

    @Test func `a client is asked to continue once, and only before the answer`() {
        var asked = machine(Self.heads[3])
        #expect(asked.bodyWanted(at: Self.start) == .sendContinueAndRead)
        #expect(asked.bodyWanted(at: Self.start) == .read)
        var answered = machine(Self.heads[3])
        _ = answered.respond(status: 200, length: nil)
        #expect(answered.bodyWanted(at: Self.start) == .read)
        var none = machine(Self.heads[0])
        #expect(none.bodyWanted(at: Self.start) == .empty)
    }

    @Test(arguments: [
        (0, 200, 5 as Int?, ResponseFraming.length(5), ConnectionOption.implied, true),
        (0, 200, nil, .chunked, .implied, true), (0, 204, 0, .none, .implied, false),
        (0, 304, 0, .none, .implied, false), (1, 200, 5, .length(5), .implied, false),
        (1, 200, nil, .chunked, .implied, false), (2, 200, 5, .length(5), .close, true),
        (4, 200, 5, .length(5), .close, true), (5, 200, 5, .length(5), .close, true),
        (5, 200, nil, .untilClose, .close, true), (6, 200, 5, .length(5), .keepAlive, true),
        (6, 200, nil, .untilClose, .close, true),
    ])
    func `a response is framed by its request and status`(
        head: Int, status: Int, length: Int?, framing: ResponseFraming, connection: ConnectionOption,
        sendsBody: Bool
    ) {
        var machine = machine(Self.heads[head])
        let plan = machine.respond(status: status, length: length)
        #expect(plan == .init(framing: framing, connection: connection, sendsBody: sendsBody))
        #expect(machine.respond(status: 200, length: 0) == nil)
    }

    @Test func `a drain ends an idle connection now and another one after its exchange`() {
        var idle = machine()
        #expect(idle.drain() == .close && idle.phase == .ending(.close))
        var busy = machine(Self.heads[0])
        #expect(busy.drain() == .afterExchange)
        #expect(busy.respond(status: 200, length: 0)?.connection == .close)
        #expect(busy.handlerReturned(at: Self.start) == .ending(.close))
        var answered = machine(Self.heads[0])
        _ = answered.respond(status: 200, length: 0)
        #expect(answered.drain() == .afterExchange)
        #expect(answered.handlerReturned(at: Self.start) == .ending(.close))
    }

    @Test func `a half answer never ends like a whole one`() {
        var chunked = machine(Self.heads[0])
        _ = chunked.respond(status: 200, length: nil)
        #expect(chunked.handlerReturned(at: Self.start) == .ending(.close))
        var untilClose = machine(Self.heads[5])
        _ = untilClose.respond(status: 200, length: nil)
        #expect(untilClose.handlerReturned(at: Self.start) == .ending(.reset))
    }

    /// Everything that can happen to a connection, in any order, keeps what must always hold.
    @Test func `no order of events reuses a connection that must not be reused`() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = Generator(state: seed)
        for run in 0..<20_000 {
            var machine = ConnectionMachine(limits: HTTPServerLimits(), at: Self.start)
            var now = Self.start
            var mustEnd = false
            for _ in 0..<30 {
                now = now + .milliseconds(Int(generator.next() % 1000))
                let before = machine
                switch generator.next() % 12 {
                case 0: machine.bytesArrived(at: now)
                case 1:
                    if case .readingHead = machine.phase {
                        let head = Self.heads[Int(generator.next() % UInt64(Self.heads.count))]
                        machine.headArrived(head)
                        if !head.keepsAlive { mustEnd = true }
                    }
                case 2: if case .readingHead = machine.phase { machine.headRefused() }
                case 3: _ = machine.bodyWanted(at: now)
                case 4: machine.bodyArrived(Int(generator.next() % 5000))
                case 5: if case .reading = machine.body { machine.bodyEnded() }
                case 6:
                    if machine.respond(status: 200, length: Int(generator.next() % 9)) == nil {
                        check(before, machine)
                    }
                case 7: _ = machine.respond(status: 200, length: nil)
                case 8: machine.responseEnded()
                case 9:
                    if generator.next() % 4 == 0 {
                        _ = machine.peerLeft()
                        mustEnd = true
                    }
                case 10:
                    if generator.next() % 4 == 0 {
                        _ = machine.drain()
                        mustEnd = true
                    }
                default:
                    guard machine.phase == .handling else { continue }
                    let isWhole = before.response == .complete
                    let isTaken = before.body == .none || before.body == .complete
                    let phase = machine.handlerReturned(at: now)
                    if case .idle = phase, mustEnd || !isWhole || !isTaken {
                        Issue.record("seed \(seed), run \(run): reused after \(before)")
                        return
                    }
                }
                if case .ending = before.phase, machine.phase != before.phase {
                    Issue.record("seed \(seed), run \(run): came back from \(before) to \(machine)")
                    return
                }
            }
        }
    }

    private func check(_ before: ConnectionMachine, _ after: ConnectionMachine) {
        #expect(before == after, "a refused response changed the machine")
    }

    private struct Generator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
    }
}
