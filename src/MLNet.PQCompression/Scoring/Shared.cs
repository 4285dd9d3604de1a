namespace MLNet.PQCompression.Scoring;

/// <summary>Something that many use at once and that is opened when it is needed, such as a session.</summary>
/// <remarks>
/// A prediction engine disposes the transformer it was made from while other engines may still use it. So what is shared ends when it is disposed and the last
/// use of it has ended, and the next use opens another.
/// </remarks>
internal sealed class Shared<T>(Func<T> open) : IDisposable
    where T : class, IDisposable
{
    private readonly Lock _gate = new();
    private Opened? _opened;

    /// <summary>Takes it into use, until the result is disposed.</summary>
    public Use Open()
    {
        lock (_gate)
        {
            _opened ??= new(open());
            _opened.Users++;
            return new(this, _opened);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_opened is not { } opened)
                return;
            _opened = null;
            opened.Closed = true;
            if (opened.Users == 0)
                opened.Dispose();
        }
    }

    private void Close(Opened opened)
    {
        lock (_gate)
            if (--opened.Users == 0 && opened.Closed)
                opened.Dispose();
    }

    /// <summary>A use of it.</summary>
    public readonly ref struct Use
    {
        private readonly Shared<T> _owner;
        private readonly Opened _opened;

        internal Use(Shared<T> owner, Opened opened) => (_owner, _opened) = (owner, opened);

        /// <summary>What is used.</summary>
        public T Value => _opened.Value;

        /// <summary>Ends the use.</summary>
        public void Dispose() => _owner.Close(_opened);
    }

    /// <summary>What is open, with the number of its users. Ends its threads even where nobody disposes of it, as happens to a loaded chain.</summary>
    internal sealed class Opened(T value) : IDisposable
    {
        ~Opened() => Value.Dispose();

        public T Value { get; } = value;

        public int Users { get; set; }

        public bool Closed { get; set; }

        public void Dispose()
        {
            GC.SuppressFinalize(this);
            Value.Dispose();
        }
    }
}
