using System.Text.Json;

namespace MLNet.PQCompression.Cli.Sharding;

/// <summary>The files of all shards of one piece of work, read as if one machine had done it.</summary>
internal sealed class ShardSet
{
    private readonly string[] _files;

    private ShardSet(string[] files, ShardHeader header) => (_files, Header) = (files, header);

    /// <summary>What was done, from the first shard.</summary>
    public ShardHeader Header { get; }

    /// <summary>Finds the shards of a folder.</summary>
    /// <exception cref="InvalidDataException">Shards are missing, or do not belong together; the message says which.</exception>
    public static ShardSet Open(string folder)
    {
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"There is no folder '{folder}'.");
        string[] found = [.. Directory.EnumerateFiles(folder, "shard-*-of-*.jsonl").Order(StringComparer.Ordinal)];
        if (found.Length == 0)
            throw new InvalidDataException($"'{folder}' holds no shard; evaluate and predict write them with --results FOLDER.");
        (string File, ShardHeader Header)[] shards = [.. found.Select(f => (f, ReadHeader(f)))];
        ShardHeader first = shards[0].Header;
        foreach ((string file, ShardHeader header) in shards)
            if (Difference(header, first) is { } part)
                throw new InvalidDataException($"'{file}' and '{found[0]}' are of different work: their {part} differs. Merge the shards of one command, and run again those of another.");
        Dictionary<int, string> files = shards.ToDictionary(s => s.Header.Shard, s => s.File);
        int[] missing = [.. Enumerable.Range(0, first.Shards).Where(i => !files.ContainsKey(i))];
        if (missing.Length > 0)
            throw new InvalidDataException($"'{folder}' lacks {missing.Length} of {first.Shards} shards: {string.Join(", ", missing.Take(20))}{(missing.Length > 20 ? ", …" : "")}. Run the same command with --shard {missing[0]}/{first.Shards}.");
        return new([.. Enumerable.Range(0, first.Shards).Select(i => files[i])], first);
    }

    /// <summary>The lines of all shards in the order of the images.</summary>
    /// <exception cref="InvalidDataException">A file is cut off, or an image is not there exactly once.</exception>
    public IEnumerable<ShardLine> Lines()
    {
        var ahead = new PriorityQueue<IEnumerator<ShardLine>, int>();
        try
        {
            foreach (string file in _files)
                Advance(Read(file).GetEnumerator());
            for (int next = 0; next < Header.Images; next++)
            {
                if (!ahead.TryDequeue(out IEnumerator<ShardLine>? lines, out int index) || index != next)
                    throw new InvalidDataException($"Image {next} of {Header.Images} is in none of the shards, or in two: they are not of one set of images.");
                yield return lines.Current;
                Advance(lines);
            }
        }
        finally
        {
            while (ahead.TryDequeue(out IEnumerator<ShardLine>? lines, out _))
                lines.Dispose();
        }

        void Advance(IEnumerator<ShardLine> lines)
        {
            if (lines.MoveNext())
                ahead.Enqueue(lines, lines.Current.Index);
            else
                lines.Dispose();
        }
    }

    private static IEnumerable<ShardLine> Read(string file)
    {
        int expected = ReadHeader(file).Holds, count = 0;
        foreach (string line in File.ReadLines(file).Skip(1))
        {
            count++;
            yield return Parse(line, file, count + 1, text => JsonSerializer.Deserialize(text, ShardJson.Default.ShardLine));
        }
        if (count != expected)
            throw new InvalidDataException($"'{file}' has {count} of {expected} images: it was cut off. Run its shard again.");
    }

    private static ShardHeader ReadHeader(string file) =>
        Parse(File.ReadLines(file).FirstOrDefault() ?? "", file, 1, text => JsonSerializer.Deserialize(text, ShardJson.Default.ShardHeader));

    private static T Parse<T>(string line, string file, int number, Func<string, T?> parse)
        where T : class
    {
        try
        {
            return parse(line) ?? throw new JsonException("there is nothing");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"'{file}', line {number}: {e.Message} Run its shard again.", e);
        }
    }

    private static string? Difference(ShardHeader a, ShardHeader b) =>
        a.Shards != b.Shards ? "number of shards"
        : a.Command != b.Command ? "command"
        : a.Model != b.Model ? "model"
        : a.Teacher != b.Teacher ? "teacher"
        : a.Images != b.Images || a.Names != b.Names ? "set of images and labels"
        : a.Settings != b.Settings || a.Engine != b.Engine ? "settings"
        : null;
}
