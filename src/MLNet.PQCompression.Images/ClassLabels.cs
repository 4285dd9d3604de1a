using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace MLNet.PQCompression.Images;

/// <summary>Finds the class of images: from folders that are named after classes, or from labels as they are written in a table.</summary>
internal static class ClassLabels
{
    /// <summary>What data writes where there is no label; only among numbers, for it may be a class's name.</summary>
    private static readonly string[] Missing = ["nan", "na", "n/a", "null", "none", "-1", "-1.0"];

    /// <summary>The classes and the label of each image, where every image lies in a folder and there are at least two such folders below the folders that all
    /// share; else no classes and labels of -1. Folders without images count, so that a class keeps its number when none of its images can be read.</summary>
    /// <remarks>Names are numbered in ordinal order; numbers (0, 01, 10) by their value.</remarks>
    public static (IReadOnlyList<string> Classes, int[] Labels) FromFolders(IReadOnlyList<string> images, IReadOnlyList<string> folders)
    {
        HashSet<string> parents = [.. folders.Where(f => f.Contains('/')).Select(f => f[..f.LastIndexOf('/')])];
        string[] leaves = [.. folders.Where(f => !parents.Contains(f))];
        int prefix = CommonFolderLength([.. images, .. leaves.Select(f => f + "/")]);
        string[] folderOf = [.. images.Select(n => n.IndexOf('/', prefix) is >= 0 and var end ? n[prefix..end] : "")];
        string[] classes = Ordered([.. folderOf.Concat(leaves.Where(f => f.Length > prefix).Select(f => f[prefix..].Split('/')[0])).Distinct()]);
        return classes.Length >= 2 && !folderOf.Contains("") ? (classes, Number(folderOf, classes)) : ([], [.. images.Select(_ => -1)]);
    }

    /// <summary>Labels as written: class indices where all are whole numbers, such as 3 or 3.0, else class names, numbered in ordinal order or as <paramref name="known"/> says.</summary>
    /// <param name="rows">The rows; null where an image has none.</param>
    /// <param name="known">The classes by index, or empty.</param>
    /// <param name="path">The list, for messages.</param>
    /// <returns>The classes (none where labels are indices), the labels (-1 where there is none), and how many are written as missing (NaN, -1).</returns>
    /// <exception cref="InvalidDataException">A name is not among the known ones, a number is no index, or names and numbers are mixed.</exception>
    public static (IReadOnlyList<string> Classes, int[] Labels, int Missing) FromText(IReadOnlyList<CsvRow?> rows, IReadOnlyList<string> known, string path)
    {
        CsvRow[] given = [.. rows.OfType<CsvRow>().Where(r => r.Label is not null)];
        bool named = known.Count > 0 && given.All(r => known.Contains(r.Label) || IsMissing(r.Label)) && given.Any(r => !IsMissing(r.Label));
        if (!named && given.Any(r => double.TryParse(r.Label, NumberStyles.Float, CultureInfo.InvariantCulture, out _) && !IsMissing(r.Label)))
            return ([], [.. rows.Select(r => r?.Label is null || IsMissing(r.Label) ? -1 : Index(r, path))], given.Count(r => IsMissing(r.Label)));
        if (given.Length > 0 && given.All(r => IsMissing(r.Label)))
            return (known, [.. rows.Select(_ => -1)], given.Length);
        // Folders that have nothing to do with the labels are no classes.
        string[] classes = given.Any(r => known.Contains(r.Label)) ? [.. known] : [.. given.Select(r => r.Label!).Distinct().Order(StringComparer.Ordinal)];
        if (given.FirstOrDefault(r => !classes.Contains(r.Label)) is { } stranger)
            throw new InvalidDataException($"'{path}', row {stranger.Number}: the class '{stranger.Label}' is none of {Some(classes)}.");
        return (classes, Number([.. rows.Select(r => r?.Label)], classes), 0);
    }

    /// <summary>The first of many names, for messages.</summary>
    public static string Some(IReadOnlyList<string> names) => string.Join(", ", names.Take(20)) + (names.Count > 20 ? ", …" : "");

    /// <summary>Whether names are different whole numbers.</summary>
    public static bool AreNumbers(IReadOnlyList<string> names) =>
        names.All(n => int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out _)) && names.Select(n => int.Parse(n, CultureInfo.InvariantCulture)).Distinct().Count() == names.Count;

    private static bool IsMissing([NotNullWhen(true)] string? label) => label is not null && Missing.Contains(label, StringComparer.OrdinalIgnoreCase);

    private static int Index(CsvRow row, string path)
    {
        if (!double.TryParse(row.Label, NumberStyles.Float, CultureInfo.InvariantCulture, out double value))
            throw new InvalidDataException($"'{path}', row {row.Number}: the label '{row.Label}' is a name where others are numbers. Write class indices from 0 on, or names for all.");
        return value >= 0 && value <= int.MaxValue && value == Math.Floor(value)
            ? (int)value
            : throw new InvalidDataException($"'{path}', row {row.Number}: the label '{row.Label}' is no class index; whole numbers from 0 on are.");
    }

    private static string[] Ordered(string[] names) =>
        AreNumbers(names) ? [.. names.OrderBy(n => int.Parse(n, CultureInfo.InvariantCulture))] : [.. names.Order(StringComparer.Ordinal)];

    private static int[] Number(IReadOnlyList<string?> names, string[] classes)
    {
        Dictionary<string, int> index = classes.Select((name, i) => (name, i)).DistinctBy(p => p.name).ToDictionary(p => p.name, p => p.i, StringComparer.Ordinal);
        return [.. names.Select(n => n is null ? -1 : index[n])];
    }

    /// <summary>The length, with its last /, of the folders that all names begin with.</summary>
    private static int CommonFolderLength(IReadOnlyList<string> names)
    {
        if (names.Count == 0)
            return 0;
        ReadOnlySpan<char> common = names[0].AsSpan(0, names[0].LastIndexOf('/') + 1);
        foreach (string name in names)
        {
            int same = common.CommonPrefixLength(name);
            common = common[..(common[..same].LastIndexOf('/') + 1)];
        }
        return common.Length;
    }
}
