namespace MLNet.PQCompression.Fuzz;

/// <summary>A reader, and files to damage for it.</summary>
public interface IFuzzTarget
{
    /// <summary>What to call it on the command line.</summary>
    string Name { get; }

    /// <summary>The files before any damage.</summary>
    IEnumerable<byte[]> Sound { get; }

    /// <summary>A damaged file; the same random numbers give the same file.</summary>
    byte[] Make(Random random);

    /// <summary>Reads a file and uses what it holds.</summary>
    /// <returns>How far it came.</returns>
    Outcome Run(byte[] file);

    /// <summary>Whether an exception is of the family that the reader documents.</summary>
    bool IsDocumented(Exception exception);
}

/// <summary>How far a file came.</summary>
public enum Outcome
{
    /// <summary>Refused by a documented exception.</summary>
    Refused,

    /// <summary>Read.</summary>
    Read,

    /// <summary>Read, and used once: a model scored an image.</summary>
    Used,
}
