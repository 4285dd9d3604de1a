using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.PQCompression.Views;

/// <summary>Keeps the values of an input column while its cursor runs ahead.</summary>
internal abstract class ColumnBuffer
{
    private static readonly MethodInfo Scalar = typeof(ColumnBuffer).GetMethod(nameof(OpenScalar), BindingFlags.NonPublic | BindingFlags.Static)!;
    private static readonly MethodInfo Vector = typeof(ColumnBuffer).GetMethod(nameof(OpenVector), BindingFlags.NonPublic | BindingFlags.Static)!;

    /// <summary>A buffer for each active input column, by index; null where a column's values may not outlive the row, as images do not.</summary>
    public static ColumnBuffer?[]? TryOpen(DataViewRowCursor input, bool[] active)
    {
        DataViewSchema.Column[] columns = [.. input.Schema.Where(c => active[c.Index])];
        if (!columns.All(c => c.Type is PrimitiveDataViewType or VectorDataViewType { ItemType: PrimitiveDataViewType }))
            return null;
        var buffers = new ColumnBuffer?[input.Schema.Count];
        foreach (DataViewSchema.Column column in columns)
            buffers[column.Index] = column.Type is VectorDataViewType vector
                ? (ColumnBuffer)Vector.MakeGenericMethod(vector.ItemType.RawType).Invoke(null, [input, column])!
                : (ColumnBuffer)Scalar.MakeGenericMethod(column.Type.RawType).Invoke(null, [input, column])!;
        return buffers;
    }

    /// <summary>Keeps the current value of the input.</summary>
    /// <param name="slot">Where.</param>
    public abstract void Keep(int slot);

    /// <summary>A getter of the kept values.</summary>
    /// <param name="slot">Tells which.</param>
    public abstract Delegate GetGetter(Func<int> slot);

    private static Buffer<T> OpenScalar<T>(DataViewRow input, DataViewSchema.Column column) =>
        new(input.GetGetter<T>(column), static (in T from, ref T to) => to = from);

    private static Buffer<VBuffer<T>> OpenVector<T>(DataViewRow input, DataViewSchema.Column column) =>
        new(input.GetGetter<VBuffer<T>>(column), static (in VBuffer<T> from, ref VBuffer<T> to) => from.CopyTo(ref to));

    private delegate void Copy<T>(in T from, ref T to);

    private sealed class Buffer<T>(ValueGetter<T> getter, Copy<T> copy) : ColumnBuffer
    {
        private T[] _values = [];

        public override void Keep(int slot)
        {
            if (slot >= _values.Length)
                Array.Resize(ref _values, Math.Max(slot + 1, 2 * _values.Length));
            getter(ref _values[slot]);
        }

        public override Delegate GetGetter(Func<int> slot) => (ValueGetter<T>)((ref T value) => copy(_values[slot()], ref value));
    }
}
