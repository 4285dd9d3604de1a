using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.PQCompression.Views;

/// <summary>Checks what a caller asks of a row.</summary>
internal static class OutputGetters
{
    /// <summary>Casts a getter, or says which types were asked for and found.</summary>
    /// <exception cref="InvalidOperationException">The column is of another type.</exception>
    public static ValueGetter<TValue> Cast<TValue>(Delegate getter, DataViewSchema.Column column) =>
        getter as ValueGetter<TValue>
        ?? throw new InvalidOperationException($"Column '{column.Name}' is of type {column.Type.RawType.Name}, not {typeof(TValue).Name}.");

    /// <summary>Checks that a column was asked for when the row was opened.</summary>
    /// <exception cref="ArgumentException">It was not.</exception>
    public static void CheckActive(bool[] active, DataViewSchema.Column column)
    {
        if (column.Index >= active.Length || !active[column.Index])
            throw new ArgumentException($"Column '{column.Name}' is not active in this row; ask for it when the row or cursor is opened.", nameof(column));
    }
}
