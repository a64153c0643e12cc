import Base
import Loop
import Redis

@testable import Admission

/// The functions as they are, in a real Redis, with a clock of the test's own: many schedules in one call.
struct Rehearsal {
    private let library: RedisLibrary
    private let client: RedisClient

    /// - Parameter change: plants a mistake in the source.
    init(_ client: RedisClient, _ change: (String) -> String = { $0 }) {
        self.client = client
        let source = change(AdmissionLibrary.source(clock: Self.clock))
        library = RedisLibrary(name: "hivegate_rehearsal", source: source + "\n" + Self.driver)
    }

    private static let clock = """
        local seconds, microseconds = 0, 0
        local function clock() return seconds, microseconds end
        """

    /// Of each schedule: the answers, each behind its length; then the fields that are left, and how long they live.
    private static let driver = """
        local function know(keys, a)
            call('HSET', keys[1], unpack(a))
            return 1
        end

        local function keep(keys)
            call('DEL', 'kept', 'kept journal')
            call('COPY', keys[1], 'kept')
            call('COPY', keys[2], 'kept journal')
            return 1
        end

        local function flush(keys)
            call('DEL', keys[1], keys[2])
            return 1
        end

        local function restart(keys, a)
            local isOlder
            run, isOlder = up('<dd', a[1])
            if isOlder > 0 then
                flush(keys)
                call('COPY', 'kept', keys[1])
                call('COPY', 'kept journal', keys[2])
            end
            return 1
        end

        local function play(keys, a)
            if not up then prepare() end
            local functions = {admit, settle, renew, seed, fund, know, keep, restart, flush}
            local all = {}
            for i = 1, #a do
                local schedule, place, out = a[i], 1, {}
                local function add(text)
                    out[#out + 1] = pk('<d', #text)
                    out[#out + 1] = text
                end
                call('DEL', 'schedule', 'journal', 'kept', 'kept journal')
                run = 1
                while place <= #schedule do
                    local kind, count
                    kind, seconds, microseconds, count, place = up('<dddd', schedule, place)
                    local arguments = {}
                    for j = 1, count do
                        local length
                        length, place = up('<d', schedule, place)
                        arguments[j] = sub(schedule, place, place + length - 1)
                        place = place + length
                    end
                    local fine, answer = pcall(functions[kind], {'schedule', 'journal'}, arguments)
                    if not fine then
                        answer = 'failed: ' .. tostring(type(answer) == 'table' and answer.err or answer)
                    elseif type(answer) == 'number' then
                        answer = pk('<d', answer)
                    end
                    add(answer)
                end
                local fields = call('HGETALL', 'schedule')
                out[#out + 1] = pk('<d', #fields)
                for j = 1, #fields do add(fields[j]) end
                local journal = call('HVALS', 'journal')
                out[#out + 1] = pk('<d', #journal)
                for j = 1, #journal do out[#out + 1] = journal[j] end
                out[#out + 1] = pk('<d', call('TTL', 'schedule'))
                all[i] = concat(out)
            end
            call('DEL', 'schedule', 'journal', 'kept', 'kept journal')
            return all
        end
        redis.register_function('play' .. suffix, play)
        """

    /// What came of a schedule.
    struct Outcome: Equatable {
        /// A text where the function failed.
        var answers: [Answer]
        var fields: [String: [Int64]]
        var journal: Set<Int64>
        /// In how many seconds they go, rounded to thousands; 0: never.
        var life: Int64

        enum Answer: Equatable {
            case numbers([Int64])
            case failure(String)
        }
    }

    func play(_ schedules: [[Step]]) async throws -> [Outcome] {
        var command = RedisCommand(calling: library.function("play"), keyCount: 0)
        for schedule in schedules {
            var bytes: [UInt8] = []
            for step in schedule { step.encode(to: &bytes) }
            command.add(bytes)
        }
        let value = try await client.send(command, using: library, timeout: .seconds(60))
        return zip(schedules, value.array ?? []).map { schedule, answer in
            Outcome(answer.bytes ?? [], stepCount: schedule.count)
        }
    }
}

extension Rehearsal.Outcome {
    fileprivate init(_ bytes: [UInt8], stepCount: Int) {
        var reader = NumberReader(bytes)
        answers = (0..<stepCount).map { _ in
            let answer = reader.text()
            if answer.starts(with: "failed".utf8) { return .failure(String(decoding: answer, as: UTF8.self)) }
            return .numbers(numbers(in: answer))
        }
        fields = [:]
        for _ in 0..<reader.number() / 2 {
            let field = String(decoding: reader.text(), as: UTF8.self)
            let value = Array(reader.text())
            switch field.first {
            case "g", "x": fields[field] = [Int64(String(decoding: value, as: UTF8.self)) ?? -1]
            case "h": fields[field] = Self.hold(value)
            case "t": fields[field] = Self.grants(value)
            case "c": fields[field] = Self.sorted(numbers(in: value[...]))
            default: fields[field] = numbers(in: value[...])
            }
        }
        let count = reader.number()
        journal = Set((0..<count).map { _ in reader.number() })
        life = (reader.number() + 999) / 1000 * 1000
    }

    /// The run, the time, and how much of each limit.
    private static func hold(_ value: [UInt8]) -> [Int64] {
        var hold = numbers(in: value[..<16])
        for place in stride(from: 16, to: value.count, by: 24) {
            hold += numbers(in: value[place + 16..<place + 24])
        }
        return hold
    }

    /// Which, and when.
    private static func grants(_ value: [UInt8]) -> [Int64] {
        var grants: [Int64] = []
        for place in stride(from: 0, to: value.count, by: 24) {
            grants.append(Int64(String(decoding: value[place + 5..<place + 16], as: UTF8.self)) ?? -1)
            grants += numbers(in: value[place + 16..<place + 24])
        }
        return grants
    }

    /// By worker.
    private static func sorted(_ entries: [Int64]) -> [Int64] {
        stride(from: 0, to: entries.count, by: 3).map { Array(entries[$0..<$0 + 3]) }
            .sorted { $0[0] < $1[0] }.flatMap(\.self)
    }

    /// What the reference says.
    init(_ answers: [[Int64]], _ model: ReferenceModel) {
        self.answers = answers.map { .numbers($0) }
        fields = model.fields
        journal = model.journal
        life = model.life
    }
}

private struct NumberReader {
    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func number() -> Int64 {
        defer { place += 8 }
        return Int64(bytes.withUnsafeBytes { $0.double(at: place) })
    }

    mutating func text() -> ArraySlice<UInt8> {
        let length = Int(number())
        defer { place += length }
        return bytes[place..<place + length]
    }
}

private func numbers(in bytes: ArraySlice<UInt8>) -> [Int64] {
    bytes.withUnsafeBytes { bytes in
        stride(from: 0, to: bytes.count, by: 8).map { Int64(bytes.double(at: $0)) }
    }
}
