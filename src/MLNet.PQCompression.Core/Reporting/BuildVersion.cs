using System.Reflection;

namespace MLNet.PQCompression.Reporting;

/// <summary>The version of this library and the commit it was built from.</summary>
public static class BuildVersion
{
    private static readonly string[] Parts = (typeof(BuildVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0").Split('+', 2);

    /// <summary>The version, such as 0.1.0.</summary>
    public static string Number => Parts[0];

    /// <summary>The commit in full, or null where the build does not tell.</summary>
    public static string? Commit => Parts.Length > 1 ? Parts[1] : null;
}
