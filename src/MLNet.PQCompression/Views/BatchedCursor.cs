using System.Runtime.ExceptionServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Scoring;

namespace MLNet.PQCompression.Views;

/// <summary>
/// The rows of an input cursor with their scores, scored in batches: the input runs ahead, the values asked for are kept. Batches begin at one row and
/// double, so that a look at the first rows reads few more.
/// </summary>
internal sealed class BatchedCursor : DataViewRowCursor
{
    private const int LargestBatch = 32;
    private const int LargestBatchBytes = 32 << 20;

    private readonly DataViewRowCursor _input;
    private readonly ScoringMapper _mapper;
    private readonly bool[] _active;
    private readonly ColumnBuffer?[] _buffers;
    private readonly ImageReader _reader;
    private readonly ModelScorer _scorer;
    private readonly ValueGetter<DataViewRowId> _getId;
    private readonly int _imageLength;
    private readonly int _largest;
    private readonly List<(DataViewRowId Id, long Batch)> _rows = [];
    private float[] _images = [];
    private float[] _scores = [];
    private int _size = 1;
    private int _current = -1;
    private long _position = -1;
    private bool _scored;
    private ExceptionDispatchInfo? _failure;

    public BatchedCursor(DataViewRowCursor input, ScoringMapper mapper, bool[] active, ColumnBuffer?[] buffers, ImageColumn column, ModelScorer scorer)
    {
        _input = input;
        _mapper = mapper;
        _active = active;
        _buffers = buffers;
        _reader = column.OpenReader(input);
        _scorer = scorer;
        _getId = input.GetIdGetter();
        _imageLength = column.Input.Length;
        _largest = Math.Clamp(LargestBatchBytes / (sizeof(float) * _imageLength), 1, LargestBatch);
    }

    /// <inheritdoc/>
    public override DataViewSchema Schema => _mapper.OutputSchema;

    /// <inheritdoc/>
    public override long Position => _current < 0 ? -1 : _position;

    /// <inheritdoc/>
    public override long Batch => _current < 0 ? 0 : _rows[_current].Batch;

    /// <inheritdoc/>
    /// <exception cref="ImageRowException">The next row has no image that can be used.</exception>
    public override bool MoveNext()
    {
        if (_current + 1 >= _rows.Count)
        {
            _current = -1;
            _rows.Clear();
            _failure?.Throw();
            ReadBatch();
            if (_rows.Count == 0)
                return false;
        }
        _current++;
        _position++;
        return true;
    }

    /// <inheritdoc/>
    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = _rows[Slot()].Id;

    /// <inheritdoc/>
    public override bool IsColumnActive(DataViewSchema.Column column) => column.Index < _active.Length && _active[column.Index];

    /// <inheritdoc/>
    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        OutputGetters.CheckActive(_active, column);
        Delegate getter = column.Index < _mapper.InputSchema.Count ? _buffers[column.Index]!.GetGetter(Slot) : _mapper.OpenGetter(column.Index - _mapper.InputSchema.Count, Scores);
        return OutputGetters.Cast<TValue>(getter, column);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _input.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Reads rows ahead, none at the end. A row that fails ends the batch, and fails when it is reached.</summary>
    private void ReadBatch()
    {
        _scored = false;
        int size = _size;
        _size = Math.Min(2 * size, _largest);
        if (_images.Length < size * _imageLength)
            (_images, _scores) = (new float[size * _imageLength], new float[size * _scorer.RowLength]);
        try
        {
            while (_rows.Count < size && _input.MoveNext())
            {
                _reader.Read(_images.AsSpan(_rows.Count * _imageLength, _imageLength));
                foreach (ColumnBuffer? buffer in _buffers)
                    buffer?.Keep(_rows.Count);
                DataViewRowId id = default;
                _getId(ref id);
                _rows.Add((id, _input.Batch));
            }
        }
        catch (Exception e)
        {
            _failure = ExceptionDispatchInfo.Capture(e);
            if (_rows.Count == 0)
                throw;
        }
    }

    private ReadOnlySpan<float> Scores()
    {
        int slot = Slot();
        if (!_scored)
            _scorer.Score(_images.AsSpan(0, _rows.Count * _imageLength), _rows.Count, _scores);
        _scored = true;
        return _scores.AsSpan(slot * _scorer.RowLength, _scorer.RowLength);
    }

    private int Slot() => _current >= 0 ? _current : throw new InvalidOperationException("The cursor is on no row; call MoveNext first.");
}
