/// Writes what happened, one line each: JSON for machines, or plain for a terminal.
///
/// A field's value is a number, a flag or text. A `Secret` has no way in.
package struct Logger: Sendable {
    package typealias Field = (name: StaticString, value: Value)

    package enum Level: Int, CaseIterable, Comparable, Sendable {
        case debug, info, warning, error

        package init?(_ name: String) {
            guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
            self = level
        }

        package var name: String {
            switch self {
            case .debug: "debug"
            case .info: "info"
            case .warning: "warning"
            case .error: "error"
            }
        }

        package static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    package enum Format: String, Sendable {
        case json, pretty
    }

    package enum Value: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
        ExpressibleByStringInterpolation, ExpressibleByBooleanLiteral
    {
        case text(String)
        case integer(Int)
        case flag(Bool)

        package init(stringLiteral value: String) { self = .text(value) }
        package init(integerLiteral value: Int) { self = .integer(value) }
        package init(booleanLiteral value: Bool) { self = .flag(value) }
    }

    package var level: Level
    private let format: Format
    private let sink: LogSink
    private let time: TimeSource

    package init(
        level: Level = .info, format: Format = .json, sink: LogSink = .standardError, time: TimeSource = .live
    ) {
        self.level = level
        self.format = format
        self.sink = sink
        self.time = time
    }

    /// For tests and tools that have nothing to say.
    package static let silent = Logger(level: .error, sink: LogSink { _ in })

    package func debug(_ message: StaticString, _ fields: Field...) { log(.debug, message, fields) }
    package func info(_ message: StaticString, _ fields: Field...) { log(.info, message, fields) }
    package func warning(_ message: StaticString, _ fields: Field...) { log(.warning, message, fields) }
    package func error(_ message: StaticString, _ fields: Field...) { log(.error, message, fields) }

    private func log(_ level: Level, _ message: StaticString, _ fields: [Field]) {
        guard level >= self.level else { return }
        var line: [UInt8] = []
        line.reserveCapacity(256)
        switch format {
        case .json: writeJSON(level, message, fields, into: &line)
        case .pretty: writePretty(level, message, fields, into: &line)
        }
        line.append(0x0A)
        sink.write(line)
    }

    private func writeJSON(
        _ level: Level, _ message: StaticString, _ fields: [Field], into line: inout [UInt8]
    ) {
        line.append("{\"time\":\"")
        line.append(time.timestamp().description)
        line.append("\",\"level\":\"")
        line.append(level.name)
        line.append("\",\"message\":")
        line.append(quoted: message.description)
        for field in fields {
            line.append(",")
            line.append(quoted: field.name.description)
            line.append(":")
            switch field.value {
            case .text(let text): line.append(quoted: text)
            case .integer(let number): line.append(decimal: number)
            case .flag(let flag): line.append(flag ? "true" : "false")
            }
        }
        line.append("}")
    }

    private func writePretty(
        _ level: Level, _ message: StaticString, _ fields: [Field], into line: inout [UInt8]
    ) {
        line.append(time.timestamp().description)
        line.append(" ")
        line.append(level.name.uppercased())
        line.append(" ")
        line.append(message)
        for field in fields {
            line.append("  ")
            line.append(field.name)
            line.append("=")
            switch field.value {
            case .text(let text): line.append(quoted: text)
            case .integer(let number): line.append(decimal: number)
            case .flag(let flag): line.append(flag ? "true" : "false")
            }
        }
    }
}

extension [UInt8] {
    /// `text` as a JSON string. Control characters are escaped, so nothing in a value can forge a line.
    fileprivate mutating func append(quoted text: String) {
        append(0x22)
        for byte in text.utf8 {
            switch byte {
            case 0x22, 0x5C:
                append(0x5C)
                append(byte)
            case 0x00..<0x20, 0x7F:
                append("\\u00")
                append(hex: CollectionOfOne(byte))
            default:
                append(byte)
            }
        }
        append(0x22)
    }
}
