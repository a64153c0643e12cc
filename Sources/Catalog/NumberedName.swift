/// One of a fixed list of names, which has a number in it: sets of them are the bits of one word.
protocol NumberedName: CaseIterable, RawRepresentable<String>, Hashable {}

extension NumberedName {
    var number: Int { Self.allCases.enumerated().first { $0.element == self }?.offset ?? 0 }
}

extension Sequence where Element: NumberedName {
    var mask: UInt32 { reduce(0) { $0 | 1 << UInt32($1.number) } }
}

extension CatalogModel.Mode: NumberedName {}
extension CatalogModel.Modality: NumberedName {}
extension CatalogModel.Capability: NumberedName {}
