using System.Globalization;
using System.IO.Compression;
using MLNet.PQCompression.Datasets;

if (args.Length is < 3 or > 4 || !Enum.TryParse(args[0], ignoreCase: true, out Split split) || !Enum.IsDefined(split)
    || !int.TryParse(args[1], NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count < 1
    || !int.TryParse(args.ElementAtOrDefault(3) ?? "1", NumberStyles.None, CultureInfo.InvariantCulture, out int seed))
{
    Console.Error.WriteLine("""
        Renders images of the data set shapes10 into a zip archive.
        usage: shapes10-renderer train|unlabelled|test COUNT OUTPUT.zip [SEED]
        The default seed is 1. A longer archive holds the images of a shorter one.
        """);
    return 2;
}

var files = new (string Name, byte[] Png)[count];
Parallel.For(0, count, i => files[i] = DataSet.Render(split, seed, i));

using FileStream file = File.Create(args[2]);
using var archive = new ZipArchive(file, ZipArchiveMode.Create);
foreach ((string name, byte[] png) in files.OrderBy(f => f.Name, StringComparer.Ordinal))
{
    ZipArchiveEntry entry = archive.CreateEntry(name, CompressionLevel.NoCompression);
    entry.LastWriteTime = new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    using Stream target = entry.Open();
    target.Write(png);
}
return 0;
