using Microsoft.ML;
using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Fitting;

/// <summary>
/// The images of a data view as a model's input, read row by row each time they are asked for; one batch is in memory. Where there are more rows than
/// wanted, rows at equal distances are taken, so that data sorted by class gives every class. Fine-tuning may want more images than statistics do: then
/// the first ones read are spread over all rows, and a second pass gives the others.
/// </summary>
internal sealed class DataViewSampleSource : ISampleSource
{
    private readonly IDataView _data;
    private readonly ImageColumn _column;
    private readonly LabelColumn? _label;
    private readonly Action<ImageRowException>? _skip;
    private readonly long _rows;
    private readonly int _taken, _first;
    private readonly HashSet<long> _bad = [];

    /// <summary>Reads a data view.</summary>
    /// <param name="data">The data.</param>
    /// <param name="column">Its image column.</param>
    /// <param name="label">Its label column, or null.</param>
    /// <param name="first">How many images the first reader wants; they are spread over all rows.</param>
    /// <param name="most">How many rows are taken at most.</param>
    /// <param name="skip">Told once of each row that is left out because it has no image that can be used; null ends the reading there.</param>
    /// <exception cref="InvalidOperationException">There are no rows.</exception>
    public DataViewSampleSource(IDataView data, ImageColumn column, LabelColumn? label, int first, int most, Action<ImageRowException>? skip)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(first);
        _data = data;
        _column = column;
        _label = label;
        _skip = skip;
        _rows = data.GetRowCount() ?? CountRows(data);
        if (_rows == 0)
            throw new InvalidOperationException($"The data has no rows. Compression learns from images in column '{column.Column.Name}'; a few hundred will do, without labels.");
        _taken = (int)Math.Min(_rows, Math.Max(first, most));
        _first = Math.Min(first, _taken);
    }

    /// <inheritdoc/>
    public int Channels => _column.Input.Preprocessing.Channels;

    /// <inheritdoc/>
    public int Height => _column.Input.Preprocessing.Height;

    /// <inheritdoc/>
    public int Width => _column.Input.Preprocessing.Width;

    /// <inheritdoc/>
    public int? Count => _taken - _bad.Count;

    /// <inheritdoc/>
    /// <exception cref="ImageRowException">A row has no image that can be used, and none may be left out.</exception>
    public IEnumerable<SampleBatch> Read(int batchSize, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        return ReadBatches(Math.Min(batchSize, _taken), cancellationToken);
    }

    private IEnumerable<SampleBatch> ReadBatches(int batchSize, CancellationToken cancellationToken)
    {
        int length = _column.Input.Length, count = 0;
        var data = new float[checked(batchSize * length)];
        string[] names = new string[batchSize];
        int[] labels = new int[batchSize];
        foreach (bool first in _first < _taken ? new[] { true, false } : [true])
        {
            using DataViewRowCursor cursor = _data.GetRowCursor(_label is null ? [_column.Column] : [_column.Column, _label.Column]);
            ImageReader reader = _column.OpenReader(cursor);
            Func<int> label = _label?.OpenReader(cursor) ?? (() => -1);
            for (long i = 0; i < _taken; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (IsFirst(i) != first)
                    continue;
                if (!MoveTo(cursor, i * _rows / _taken))
                    break;
                if (!TryRead(reader, data.AsSpan(count * length, length)))
                    continue;
                names[count] = $"row {cursor.Position}";
                labels[count] = label();
                if (++count < batchSize)
                    continue;
                yield return new(data, count, [.. names], [.. labels]);
                count = 0;
            }
        }
        if (count > 0)
            yield return new(data.AsMemory(0, count * length), count, names[..count], labels[..count]);
    }

    private bool IsFirst(long i) => (i + 1) * _first / _taken > i * _first / _taken;

    private bool TryRead(ImageReader reader, Span<float> destination)
    {
        try
        {
            reader.Read(destination);
            return true;
        }
        catch (ImageRowException e) when (_skip is not null)
        {
            if (_bad.Add(e.Row))
                _skip(e);
            if (_bad.Count == _taken)
                throw new InvalidOperationException($"None of the {_taken} rows has an image that can be used; the last: {e.Message}", e);
            return false;
        }
    }

    private static bool MoveTo(DataViewRowCursor cursor, long row)
    {
        while (cursor.Position < row)
            if (!cursor.MoveNext())
                return false;
        return true;
    }

    private static long CountRows(IDataView data)
    {
        using DataViewRowCursor cursor = data.GetRowCursor([]);
        long rows = 0;
        while (cursor.MoveNext())
            rows++;
        return rows;
    }
}
