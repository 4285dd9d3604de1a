using System.Collections.Immutable;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.PQCompression.Fitting;

/// <summary>A key column of class labels whose values are text.</summary>
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

    /// <summary>Finds the label column; null where the data has none, or none whose keys are text.</summary>
    public static LabelColumn? Find(DataViewSchema schema, string? name)
    {
        if (name is null || schema.GetColumnOrNull(name) is not { Type: KeyDataViewType key } column || key.RawType != typeof(uint))
            return null;
        if (column.Annotations.Schema.GetColumnOrNull("KeyValues") is not { Type: VectorDataViewType { ItemType: TextDataViewType } })
            return null;
        VBuffer<ReadOnlyMemory<char>> values = default;
        column.GetKeyValues(ref values);
        return new(column, [.. values.DenseValues().Select(v => v.ToString())], []);
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
