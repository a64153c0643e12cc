import Foundation

/// Reads what our files of PDF can have, and insists on what the standard asks for.
struct PDFReader {
    struct Shown: Equatable {
        var text: String
        var x: Double
        var y: Double
        var size: Int
    }

    struct Malformed: Error {
        var reason: String
    }

    private let bytes: [UInt8]
    private var objects: [Int: String] = [:]
    private(set) var pages: [[Shown]] = []
    private(set) var title = ""

    init(_ bytes: [UInt8]) throws {
        self.bytes = bytes
        guard bytes.allSatisfy({ $0 < 0x80 }) else { throw Malformed(reason: "not ASCII") }
        let file = String(decoding: bytes, as: UTF8.self)
        guard file.hasPrefix("%PDF-1.4\n"), file.hasSuffix("%%EOF\n") else {
            throw Malformed(reason: "no beginning or no end")
        }
        try readObjects(file)
        try readPages()
    }

    /// Every object where the table says that it is, and nothing between them.
    private mutating func readObjects(_ file: String) throws {
        let end = file.components(separatedBy: "startxref\n")
        guard end.count == 2, let start = Int(end[1].split(separator: "\n")[0]) else {
            throw Malformed(reason: "no startxref")
        }
        let table = slice(start, bytes.count)
        let lines = table.components(separatedBy: "\n")
        guard lines[0] == "xref", let count = Int(lines[1].split(separator: " ")[1]),
            lines[2] == "0000000000 65535 f ", table.contains("/Size \(count) ")
        else { throw Malformed(reason: "no table") }
        var offsets: [Int] = []
        for line in lines[3..<2 + count] {
            guard line.utf8.count == 19, line.hasSuffix(" 00000 n "), let offset = Int(line.prefix(10)) else {
                throw Malformed(reason: "an entry is \"\(line)\"")
            }
            offsets.append(offset)
        }
        guard offsets.first == 9, lines[2 + count] == "trailer" else { throw Malformed(reason: "no trailer") }
        for (index, offset) in offsets.enumerated() {
            let text = slice(offset, index + 1 < offsets.count ? offsets[index + 1] : start)
            guard text.hasPrefix("\(index + 1) 0 obj\n"), text.hasSuffix("\nendobj\n") else {
                throw Malformed(reason: "object \(index + 1) is not where it should be")
            }
            objects[index + 1] = String(text.dropFirst("\(index + 1) 0 obj\n".count).dropLast(8))
        }
    }

    private mutating func readPages() throws {
        guard let catalog = objects[1], catalog.contains("/Type /Catalog /Pages 2 0 R"),
            let kids = objects[2]?.firstMatch(of: /\/Count (\d+) \/Kids \[(.*)\]/),
            let information = objects[5],
            let title = information.firstMatch(of: /\/Title \((.*)\)/)
        else { throw Malformed(reason: "no catalogue") }
        self.title = try Self.unescaped(String(title.1))
        let numbers = kids.2.matches(of: /(\d+) 0 R/).compactMap { Int($0.1) }
        guard numbers.count == Int(kids.1) else { throw Malformed(reason: "pages are miscounted") }
        for number in numbers {
            guard let contents = objects[number]?.firstMatch(of: /\/Contents (\d+) 0 R/),
                let stream = Int(contents.1).flatMap({ objects[$0] }),
                let head = stream.firstMatch(of: /^<< \/Length (\d+) >>\nstream\n/),
                stream.hasSuffix("\nendstream")
            else { throw Malformed(reason: "page \(number) has no content") }
            let content = stream.dropFirst(head.0.count).dropLast("\nendstream".count)
            guard content.utf8.count == Int(head.1) else { throw Malformed(reason: "a length is wrong") }
            pages.append(try Self.shown(String(content)))
        }
    }

    private static func shown(_ content: String) throws -> [Shown] {
        var shown: [Shown] = []
        for line in content.split(separator: "\n") {
            if line.wholeMatch(of: /0\.5 w [\d. ]+ m [\d. ]+ l S/) != nil { continue }
            guard
                let text = line.wholeMatch(
                    of: /BT \/F[12] (\d+) Tf (-?[\d.]+) (-?[\d.]+) Td \((.*)\) Tj ET/),
                let size = Int(text.1), let x = Double(text.2), let y = Double(text.3)
            else { throw Malformed(reason: "\"\(line)\" is no operator of ours") }
            shown.append(Shown(text: try unescaped(String(text.4)), x: x, y: y, size: size))
        }
        return shown
    }

    private static func unescaped(_ text: String) throws -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte != 0x28, byte != 0x29 else { throw Malformed(reason: "a parenthesis is not escaped") }
            guard byte == 0x5C else {
                bytes.append(byte)
                continue
            }
            if let next = rest.first, next == 0x28 || next == 0x29 || next == 0x5C {
                bytes.append(rest.removeFirst())
            } else {
                guard rest.count >= 3,
                    let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
                else { throw Malformed(reason: "an escape is cut short") }
                bytes.append(value)
                rest.removeFirst(3)
            }
        }
        return String(bytes: bytes, encoding: .windowsCP1252) ?? ""
    }

    private func slice(_ start: Int, _ end: Int) -> String {
        String(decoding: bytes[start..<end], as: UTF8.self)
    }
}
