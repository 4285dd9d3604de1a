using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Detectors;

/// <summary>What the labels of a detector stand for: names, and categories of annotations.</summary>
public sealed class DetectionLabels
{
    private static readonly string[] Backgrounds = ["background", "__background__"];

    private const int MostNumbers = 1 << 16;

    private readonly IReadOnlyDictionary<int, string> _names;

    private DetectionLabels(IReadOnlyDictionary<int, string> names) => _names = names;

    /// <summary>Nothing is known but the labels themselves.</summary>
    public static DetectionLabels Unknown { get; } = new(new Dictionary<int, string>());

    /// <summary>The names by label.</summary>
    public IReadOnlyDictionary<int, string> Names => _names;

    /// <summary>A label's name, or the label as a number where it has none.</summary>
    public string this[int label] => _names.TryGetValue(label, out string? name) ? name : FormattableString.Invariant($"{label}");

    /// <summary>Names in the order of the labels. Where labels begin at 1 so do the names, unless the first is "background".</summary>
    /// <param name="profile">How labels count.</param>
    /// <param name="names">The names.</param>
    /// <param name="classes">How many classes the detector has, where that is known.</param>
    /// <exception cref="InvalidModelException">There are more or fewer names than classes.</exception>
    public static DetectionLabels Of(DetectionProfile profile, IReadOnlyList<string> names, int? classes)
    {
        ArgumentNullException.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(names);
        bool hasBackground = names.Count > 0 && Backgrounds.Contains(names[0], StringComparer.OrdinalIgnoreCase);
        int skipped = hasBackground ? 1 : 0, first = profile.Labels == LabelNumbering.FromZero ? 0 : 1;
        if (classes is { } count && names.Count - skipped != count)
            throw new InvalidModelException($"There are {names.Count - skipped} names, but the detector has {count} classes.");
        return new(names.Skip(skipped).Index().ToDictionary(n => n.Index + first, n => n.Item));
    }

    /// <summary>Names of labels that count from 0, as the keys of an ML.NET column less one.</summary>
    public static DetectionLabels FromZero(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return new(names.Index().ToDictionary(n => n.Index, n => n.Item));
    }

    /// <summary>The names that detectors of a family usually have; unknown ones where they have none, or not as many as there are classes.</summary>
    /// <param name="profile">The family.</param>
    /// <param name="classes">How many classes the detector has, where that is known.</param>
    public static DetectionLabels Usual(DetectionProfile profile, int? classes)
    {
        ArgumentNullException.ThrowIfNull(profile);
        return profile.UsualNames.Count > 0 && profile.UsualNames.Count == classes ? Of(profile, profile.UsualNames, classes) : Unknown;
    }

    /// <summary>The categories of annotations as a list of names that <see cref="Of"/> takes: in their order, or where labels are the categories' numbers by these, with "N/A" in the gaps.</summary>
    /// <param name="profile">How labels count.</param>
    /// <param name="categories">Names by number, in ascending order.</param>
    public static IReadOnlyList<string> NamesOf(DetectionProfile profile, IReadOnlyDictionary<long, string> categories)
    {
        ArgumentNullException.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(categories);
        if (profile.Labels != LabelNumbering.Categories)
            return [.. categories.Values];
        long most = categories.Keys.Where(c => c <= MostNumbers).DefaultIfEmpty().Max();
        return [Backgrounds[0], .. Enumerable.Range(1, (int)Math.Max(0, most)).Select(c => categories.GetValueOrDefault(c, "N/A"))];
    }

    /// <summary>The category of each label: by name where the detector's classes have names, else as the profile counts.</summary>
    /// <param name="profile">How labels count.</param>
    /// <param name="categories">Names by number, in ascending order.</param>
    /// <param name="classes">How many classes the detector has, where that is known.</param>
    /// <exception cref="InvalidModelException">No class has the name of a category; or labels count categories in their order, and there are more or fewer of them than classes.</exception>
    public IReadOnlyDictionary<int, long> Categories(DetectionProfile profile, IReadOnlyDictionary<long, string> categories, int? classes)
    {
        ArgumentNullException.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(categories);
        if (_names.Count == 0)
            return Numbers(profile, categories, classes);
        ILookup<string, long> numbers = categories.ToLookup(c => c.Value, c => c.Key, StringComparer.OrdinalIgnoreCase);
        Dictionary<int, long> found = _names.Where(n => numbers[n.Value].Any()).ToDictionary(n => n.Key, n => numbers[n.Value].First());
        return found.Count > 0 ? found : throw new InvalidModelException(
            $"None of the detector's classes ({Some(_names.Values)}) is among the annotations' categories ({Some(categories.Values)}).");
    }

    private static Dictionary<int, long> Numbers(DetectionProfile profile, IReadOnlyDictionary<long, string> categories, int? classes)
    {
        if (profile.Labels == LabelNumbering.Categories)
            return categories.Keys.Where(c => c is >= 0 and <= int.MaxValue).ToDictionary(c => (int)c, c => c);
        if (classes is { } count && count != categories.Count)
            throw new InvalidModelException($"The detector has {count} classes, the annotations {categories.Count} categories ({Some(categories.Values)}): which is which cannot be told. Name the detector's classes.");
        return categories.Keys.Index().ToDictionary(c => c.Index + (profile.Labels == LabelNumbering.FromOne ? 1 : 0), c => c.Item);
    }

    private static string Some(IEnumerable<string> names) => string.Join(", ", names.Take(10)) + (names.Skip(10).Any() ? ", …" : "");
}
