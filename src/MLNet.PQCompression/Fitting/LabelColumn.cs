using System.Collections.Immutable;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.PQCompression.Fitting;

/// <summary>A key column of class labels whose values are names or numbers.</summary>
internal sealed class LabelColumn
{
    private readonly ImmutableArray<int> _order;

    private LabelColumn(DataViewSchema.Column column, IReadOnlyList<string> values, ImmutableArray<int> order)
    {
        Column = column;
        Values = values;
        _order = order;
    }

    /// <summary>The column.</summary>
    public DataViewSchema.Column Column { get; }

    /// <summary>The labels in the order of their keys.</summary>
    public IReadOnlyList<string> Values { get; }

    /// <summary>Finds the label column; null where the data has none, or none whose keys have values.</summary>
    public static LabelColumn? Find(DataViewSchema schema, string? name)
    {
        if (name is null || schema.GetColumnOrNull(name) is not { Type: KeyDataViewType key } column || key.RawType != typeof(uint))
            return null;
        return ValuesOf(column) is { } values ? new(column, values, []) : null;
    }

    /// <summary>
    /// Checks that a column's keys, where they are classes of the model, come in the order of the scores: evaluation takes the first score for the first key.
    /// </summary>
    /// <exception cref="InvalidOperationException">They come in another order.</exception>
    public static void CheckOrder(DataViewSchema schema, string? name, IReadOnlyList<string> classes)
    {
        if (Find(schema, name) is not { } label || label.Values.SequenceEqual(classes.Take(label.Values.Count)) || !label.Values.All(classes.Contains))
            return;
        throw new InvalidOperationException($"The keys of the label column '{name}' are {Some(label.Values)}, in this order, but the scores are in the order {Some(classes)}: evaluation would compare each label with "
            + "the score of another class. Make the keys with the same MapValueToKey transformer as in the data that the pipeline was fitted with, in front of this estimator; LabelColumnName = null does without this check.");
    }

    private static string Some(IReadOnlyList<string> names) => string.Join(", ", names.Take(10)) + (names.Count > 10 ? ", …" : "");

    /// <summary>The key values as text; null where there are none, or of a type that no class has.</summary>
    private static string[]? ValuesOf(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull("KeyValues") is not { Type: VectorDataViewType { ItemType: var type } })
            return null;
        return type.RawType switch
        {
            var raw when raw == typeof(ReadOnlyMemory<char>) => Read<ReadOnlyMemory<char>>(),
            var raw when raw == typeof(float) => Read<float>(),
            var raw when raw == typeof(double) => Read<double>(),
            var raw when raw == typeof(byte) => Read<byte>(),
            var raw when raw == typeof(sbyte) => Read<sbyte>(),
            var raw when raw == typeof(short) => Read<short>(),
            var raw when raw == typeof(ushort) => Read<ushort>(),
            var raw when raw == typeof(int) => Read<int>(),
            var raw when raw == typeof(uint) => Read<uint>(),
            var raw when raw == typeof(long) => Read<long>(),
            var raw when raw == typeof(ulong) => Read<ulong>(),
            _ => null,
        };

        string[] Read<T>() where T : notnull
        {
            VBuffer<T> values = default;
            column.GetKeyValues(ref values);
            return [.. values.DenseValues().Select(v => Convert.ToString(v, CultureInfo.InvariantCulture) ?? "")];
        }
    }

    /// <summary>The same column for a model whose scores were put in its order.</summary>
    /// <param name="order">The model's class of each key.</param>
    public LabelColumn For(ImmutableArray<int> order) => new(Column, Values, order);

    /// <summary>Reads the model's class of a row; -1 where it is missing.</summary>
    public Func<int> OpenReader(DataViewRow row)
    {
        ValueGetter<uint> getter = row.GetGetter<uint>(row.Schema[Column.Index]);
        uint key = 0;
        return () =>
        {
            getter(ref key);
            return key == 0 || key > _order.Length ? -1 : _order[(int)key - 1];
        };
    }
}
