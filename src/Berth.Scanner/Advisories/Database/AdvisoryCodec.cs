namespace Berth.Scanner.Advisories.Database;

/// <summary>Advisories and details as records. Only what is there takes room: a first number says which fields follow.</summary>
internal static class AdvisoryCodec
{
    [Flags]
    private enum Fields
    {
        None = 0,
        Fixed = 1,
        Affected = 2,
        Severity = 4,
        Status = 8,
        Vendors = 16,
        Arches = 32,
        Vulnerable = 64,
        Patched = 128,
        Unaffected = 256,
        Entries = 512,
        Osv = 1024,
    }

    public static void Write(RecordWriter writer, Advisory advisory)
    {
        var fields = (advisory.FixedVersion.Length > 0 ? Fields.Fixed : 0) | (advisory.AffectedVersion.Length > 0 ? Fields.Affected : 0)
            | (advisory.Severity != 0 ? Fields.Severity : 0) | (advisory.Status != 0 ? Fields.Status : 0)
            | (advisory.VendorIds.Count > 0 ? Fields.Vendors : 0) | (advisory.Arches.Count > 0 ? Fields.Arches : 0)
            | (advisory.VulnerableVersions.Count > 0 ? Fields.Vulnerable : 0) | (advisory.PatchedVersions.Count > 0 ? Fields.Patched : 0)
            | (advisory.UnaffectedVersions.Count > 0 ? Fields.Unaffected : 0) | (advisory.Entries.Count > 0 ? Fields.Entries : 0)
            | (advisory.IsOsv ? Fields.Osv : 0);
        writer.Number((int)fields);
        if (fields.HasFlag(Fields.Fixed))
            writer.Text(advisory.FixedVersion);
        if (fields.HasFlag(Fields.Affected))
            writer.Text(advisory.AffectedVersion);
        if (fields.HasFlag(Fields.Severity))
            writer.Number((int)advisory.Severity);
        if (fields.HasFlag(Fields.Status))
            writer.Number((int)advisory.Status);
        Write(writer, fields, Fields.Vendors, advisory.VendorIds);
        Write(writer, fields, Fields.Arches, advisory.Arches);
        Write(writer, fields, Fields.Vulnerable, advisory.VulnerableVersions);
        Write(writer, fields, Fields.Patched, advisory.PatchedVersions);
        Write(writer, fields, Fields.Unaffected, advisory.UnaffectedVersions);
        if (fields.HasFlag(Fields.Entries))
            WriteEntries(writer, advisory.Entries);
        if (fields.HasFlag(Fields.Osv))
            WriteOsv(writer, advisory);
    }

    public static Advisory Read(string id, ReadOnlySpan<byte> record)
    {
        var reader = new RecordReader(record);
        var fields = (Fields)reader.Number();
        return new Advisory(id)
        {
            // Initialisers run in the order of the text, which is the order of the record.
            FixedVersion = fields.HasFlag(Fields.Fixed) ? reader.Text() : "",
            AffectedVersion = fields.HasFlag(Fields.Affected) ? reader.Text() : "",
            Severity = fields.HasFlag(Fields.Severity) ? (Severity)reader.Number() : 0,
            Status = fields.HasFlag(Fields.Status) ? (FixStatus)reader.Number() : 0,
            VendorIds = fields.HasFlag(Fields.Vendors) ? reader.Texts() : [],
            Arches = fields.HasFlag(Fields.Arches) ? reader.Texts() : [],
            VulnerableVersions = fields.HasFlag(Fields.Vulnerable) ? reader.Texts() : [],
            PatchedVersions = fields.HasFlag(Fields.Patched) ? reader.Texts() : [],
            UnaffectedVersions = fields.HasFlag(Fields.Unaffected) ? reader.Texts() : [],
            Entries = fields.HasFlag(Fields.Entries) ? ReadEntries(ref reader) : [],
            IsOsv = fields.HasFlag(Fields.Osv),
            Ranges = fields.HasFlag(Fields.Osv) ? ReadRanges(ref reader) : [],
            Versions = fields.HasFlag(Fields.Osv) ? reader.Texts() : [],
        };
    }

    public static void Write(RecordWriter writer, VulnerabilityDetail detail)
    {
        writer.Text(detail.Title);
        writer.Text(detail.Description);
        writer.Number((int)detail.Severity);
        writer.Number(detail.VendorSeverities.Count);
        foreach (var (vendor, severity) in detail.VendorSeverities.OrderBy(static p => p.Key, StringComparer.Ordinal))
        {
            writer.Text(vendor);
            writer.Number((int)severity);
        }
        writer.Number(detail.Cvss.Count);
        foreach (var (vendor, scores) in detail.Cvss.OrderBy(static p => p.Key, StringComparer.Ordinal))
        {
            writer.Text(vendor);
            writer.Text(scores.V2Vector);
            writer.Text(scores.V3Vector);
            writer.Text(scores.V4Vector);
            writer.Score(scores.V2Score);
            writer.Score(scores.V3Score);
            writer.Score(scores.V4Score);
        }
        writer.Texts(detail.Cwes);
        writer.Texts(detail.References);
        writer.Texts(detail.Aliases);
        writer.Time(detail.Published);
        writer.Time(detail.Modified);
    }

    public static VulnerabilityDetail ReadDetail(string id, ReadOnlySpan<byte> record)
    {
        var reader = new RecordReader(record);
        return new VulnerabilityDetail(id)
        {
            Title = reader.Text(),
            Description = reader.Text(),
            Severity = (Severity)reader.Number(),
            VendorSeverities = ReadSeverities(ref reader),
            Cvss = ReadCvss(ref reader),
            Cwes = reader.Texts(),
            References = reader.Texts(),
            Aliases = reader.Texts(),
            Published = reader.Time(),
            Modified = reader.Time(),
        };
    }

    private static void Write(RecordWriter writer, Fields fields, Fields field, IReadOnlyList<string> texts)
    {
        if (fields.HasFlag(field))
            writer.Texts(texts);
    }

    private static void WriteEntries(RecordWriter writer, IReadOnlyList<AdvisoryEntry> entries)
    {
        writer.Number(entries.Count);
        foreach (var entry in entries)
        {
            writer.Text(entry.FixedVersion);
            writer.Number((int)entry.Status);
            writer.Texts(entry.Arches);
            writer.Texts(entry.VendorIds);
            writer.Number(entry.Products.Count);
            foreach (var product in entry.Products)
                writer.Number(product);
            writer.Number(entry.Flaws.Count);
            foreach (var flaw in entry.Flaws)
            {
                writer.Text(flaw.Id);
                writer.Number((int)flaw.Severity);
            }
        }
    }

    private static AdvisoryEntry[] ReadEntries(ref RecordReader reader)
    {
        var entries = new AdvisoryEntry[reader.Count()];
        for (var i = 0; i < entries.Length; i++)
        {
            var (version, status, arches, vendors) = (reader.Text(), (FixStatus)reader.Number(), reader.Texts(), reader.Texts());
            var products = new int[reader.Count()];
            for (var p = 0; p < products.Length; p++)
                products[p] = reader.Number();
            var flaws = new CoveredFlaw[reader.Count()];
            for (var f = 0; f < flaws.Length; f++)
                flaws[f] = new CoveredFlaw(reader.Text(), (Severity)reader.Number());
            entries[i] = new AdvisoryEntry
            {
                FixedVersion = version,
                Status = status,
                Arches = arches,
                VendorIds = vendors,
                Products = products,
                Flaws = flaws,
            };
        }
        return entries;
    }

    private static void WriteOsv(RecordWriter writer, Advisory advisory)
    {
        writer.Number(advisory.Ranges.Count);
        foreach (var range in advisory.Ranges)
        {
            writer.Number((int)range.Kind);
            writer.Number(range.Events.Count);
            foreach (var happening in range.Events)
            {
                writer.Number((int)happening.Kind);
                writer.Text(happening.Version);
            }
        }
        writer.Texts(advisory.Versions);
    }

    private static OsvRange[] ReadRanges(ref RecordReader reader)
    {
        var ranges = new OsvRange[reader.Count()];
        for (var i = 0; i < ranges.Length; i++)
        {
            var kind = (OsvRangeKind)reader.Number();
            var events = new OsvEvent[reader.Count()];
            for (var e = 0; e < events.Length; e++)
                events[e] = new OsvEvent((OsvEventKind)reader.Number(), reader.Text());
            ranges[i] = new OsvRange(kind, events);
        }
        return ranges;
    }

    private static Dictionary<string, Severity> ReadSeverities(ref RecordReader reader)
    {
        var count = reader.Count();
        var severities = new Dictionary<string, Severity>(count, StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
            severities[reader.Text()] = (Severity)reader.Number();
        return severities;
    }

    private static Dictionary<string, CvssScores> ReadCvss(ref RecordReader reader)
    {
        var count = reader.Count();
        var cvss = new Dictionary<string, CvssScores>(count, StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            cvss[reader.Text()] = new CvssScores
            {
                V2Vector = reader.Text(),
                V3Vector = reader.Text(),
                V4Vector = reader.Text(),
                V2Score = reader.Score(),
                V3Score = reader.Score(),
                V4Score = reader.Score(),
            };
        }
        return cvss;
    }
}
