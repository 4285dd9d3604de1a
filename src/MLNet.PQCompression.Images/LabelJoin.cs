namespace MLNet.PQCompression.Images;

/// <summary>
/// Finds the row of a list that belongs to each image: the one with its name; else the one whose path ends as the image's does or the other way round
/// ("val/cat/1.png" and "cat/1.png"); else the one with its file name, where on both sides there is only one. Nothing is guessed.
/// </summary>
internal static class LabelJoin
{
    /// <param name="names">The images' names.</param>
    /// <param name="table">The list.</param>
    /// <returns>The row of each image; null where there is none.</returns>
    /// <exception cref="InvalidDataException">A row may belong to several images or the other way round, or two rows of one file differ.</exception>
    public static CsvRow?[] Rows(IReadOnlyList<string> names, CsvTable table)
    {
        var byPath = new Dictionary<string, CsvRow>(StringComparer.Ordinal);
        foreach (CsvRow row in table.Rows)
            if (!byPath.TryAdd(Normal(row.File), row) && byPath[Normal(row.File)] is var first && first.Label != row.Label)
                throw new InvalidDataException($"'{table.Path}': rows {first.Number} and {row.Number} give '{row.File}' the labels '{first.Label}' and '{row.Label}'.");
        string[] paths = [.. names.Select(Normal)];
        var found = new CsvRow?[names.Count];
        var free = new Dictionary<string, CsvRow>(byPath, StringComparer.Ordinal);
        for (int i = 0; i < paths.Length; i++)
            if (byPath.TryGetValue(paths[i], out found[i]))
                free.Remove(paths[i]);
        ILookup<string, KeyValuePair<string, CsvRow>> rows = free.ToLookup(r => FileName(r.Key), StringComparer.Ordinal);
        ILookup<string, int> images = Enumerable.Range(0, paths.Length).Where(i => found[i] is null).ToLookup(i => FileName(paths[i]), StringComparer.Ordinal);
        foreach (IGrouping<string, int> same in images)
            JoinByEnd(same, rows[same.Key], paths, found, table.Path);
        return found;
    }

    /// <summary>Joins images and rows of one file name.</summary>
    private static void JoinByEnd(IEnumerable<int> images, IEnumerable<KeyValuePair<string, CsvRow>> rows, string[] paths, CsvRow?[] found, string list)
    {
        (int[] left, KeyValuePair<string, CsvRow>[] right) = ([.. images], [.. rows]);
        if (left.Length == 1 && right.Length == 1)
        {
            found[left[0]] = right[0].Value;
            return;
        }
        // The longer of two paths ends with the shorter one; looked up by all ends of each, so that a thousand files of one name take a thousand steps.
        var ends = new Dictionary<string, List<int>>(StringComparer.Ordinal);
        foreach (int image in left)
            foreach (string end in Ends(paths[image]))
                (ends.TryGetValue(end, out List<int>? list1) ? list1 : ends[end] = []).Add(image);
        var whole = left.ToLookup(i => paths[i], StringComparer.Ordinal);
        foreach ((string path, CsvRow row) in right)
        {
            int[] fits = [.. ends.GetValueOrDefault(path) ?? [], .. Ends(path).Skip(1).SelectMany(end => whole[end])];
            if (fits.Length > 1)
                throw new InvalidDataException($"'{list}', row {row.Number}: '{row.File}' may be '{paths[fits[0]]}' or '{paths[fits[1]]}'. Write the path of each image from the folder or archive on.");
            if (fits.Length == 0)
                continue;
            if (found[fits[0]] is { } other && other.Label != row.Label)
                throw new InvalidDataException($"'{list}': rows {other.Number} and {row.Number} ('{other.File}', '{row.File}') may both be '{paths[fits[0]]}'. Write the path of each image from the folder or archive on.");
            found[fits[0]] = row;
        }
    }

    /// <summary>The path, then without its first folder, and so on to the file's name.</summary>
    private static IEnumerable<string> Ends(string path)
    {
        for (int at = 0; ; at = path.IndexOf('/', at) + 1)
        {
            yield return path[at..];
            if (path.IndexOf('/', at) < 0)
                yield break;
        }
    }

    /// <summary>The path with / between folders and without "." and empty parts.</summary>
    private static string Normal(string path) =>
        string.Join('/', path.Replace('\\', '/').Split('/').Where(p => p is not ("" or ".")));

    private static string FileName(string name) => name[(name.LastIndexOf('/') + 1)..];
}
