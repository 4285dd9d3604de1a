using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MLNet.PQCompression.Graph;

/// <summary>The names of a classifier's classes, by class index: where a model file keeps them, and how they meet the order of labelled data.</summary>
public static class ClassNames
{
    /// <summary>The key of a model file's metadata under which the names are kept, as a JSON array of strings.</summary>
    public const string MetadataKey = "pq.classes";

    /// <summary>The names that a model file carries, or null.</summary>
    /// <exception cref="FormatException">The entry is broken.</exception>
    public static ImmutableArray<string>? FromMetadata(IReadOnlyDictionary<string, string> metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        if (!metadata.TryGetValue(MetadataKey, out string? text))
            return null;
        try
        {
            string?[] names = JsonSerializer.Deserialize(text, NamesJsonContext.Default.StringArray) ?? [];
            return names.Contains(null) ? throw new JsonException("a name is null") : [.. names!];
        }
        catch (JsonException e)
        {
            throw new FormatException($"The metadata entry '{MetadataKey}' is no JSON array of strings: {e.Message}", e);
        }
    }

    /// <summary>The entry that keeps the names in a model file.</summary>
    public static KeyValuePair<string, string> ToMetadata(IEnumerable<string> names) => new(MetadataKey, JsonSerializer.Serialize([.. names], NamesJsonContext.Default.StringArray));

    /// <summary>"0", "1", …: the names of classes that have none.</summary>
    public static ImmutableArray<string> Numbers(int count) => [.. Enumerable.Range(0, count).Select(i => i.ToString(CultureInfo.InvariantCulture))];

    /// <summary>The same names, each but the first of equal ones followed by its index, as ImageNet's two cranes need: "crane", "crane (517)".</summary>
    public static ImmutableArray<string> MakeUnique(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var taken = new HashSet<string>(StringComparer.Ordinal);
        var unique = names.ToArray();
        for (int i = 0; i < unique.Length; i++)
            while (!taken.Add(unique[i]))
                unique[i] += $" ({i.ToString(CultureInfo.InvariantCulture)})";
        return [.. unique];
    }

    /// <summary>The order in which a model's outputs must be put so that they follow the labels of a data set.</summary>
    /// <param name="names">The model's classes by index, all different.</param>
    /// <param name="labels">The data set's label values in their order; they may lack some of the classes.</param>
    /// <returns>For each label in order, then for each class without one, the class index.</returns>
    /// <exception cref="ArgumentException">A label is none of the classes, or comes twice.</exception>
    public static ImmutableArray<int> OrderBy(IReadOnlyList<string> names, IReadOnlyList<string> labels)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(labels);
        Dictionary<string, int> index = names.Select((name, i) => (name, i)).ToDictionary(p => p.name, p => p.i, StringComparer.Ordinal);
        var order = new List<int>(names.Count);
        foreach (string label in labels)
        {
            if (!index.Remove(label, out int i))
                throw new ArgumentException(names.Contains(label)
                    ? $"The label '{label}' comes twice."
                    : $"The label '{label}' is none of the model's {names.Count} classes: {string.Join(", ", names.Take(20))}{(names.Count > 20 ? ", …" : "")}.", nameof(labels));
            order.Add(i);
        }
        return [.. order, .. index.Values.Order()];
    }
}

[JsonSerializable(typeof(string[]))]
internal sealed partial class NamesJsonContext : JsonSerializerContext;
