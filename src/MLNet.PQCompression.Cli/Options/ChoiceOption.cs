using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>An option whose values are the names of an enumeration, in lower case, their words joined by hyphens.</summary>
internal static class ChoiceOption
{
    /// <summary>An option with a value where it is left out.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="description">What it does.</param>
    /// <param name="standard">The value where it is left out.</param>
    /// <param name="advice">What else may be meant, at the end of the message about a wrong value.</param>
    public static Option<T> Create<T>(string name, string description, T standard, string advice = "")
        where T : struct, Enum => Complete<T, Option<T>>(new(name)
        {
            HelpName = Choices<T>(),
            Description = description,
            CustomParser = result => Parse<T>(name, result, advice) ?? standard,
            DefaultValueFactory = _ => standard,
        });

    /// <summary>An option that is null where it is left out.</summary>
    public static Option<T?> CreateOptional<T>(string name, string description)
        where T : struct, Enum => Complete<T, Option<T?>>(new(name)
        {
            HelpName = Choices<T>(),
            Description = description,
            CustomParser = result => Parse<T>(name, result),
        });

    /// <summary>Lets a shell complete the values.</summary>
    private static TOption Complete<T, TOption>(TOption option)
        where T : struct, Enum
        where TOption : Option
    {
        option.CompletionSources.Add(Choices<T>().Split('|'));
        return option;
    }

    private static string Choices<T>() where T : struct, Enum => string.Join('|', Enum.GetNames<T>().Select(Text));

    private static string Text(string name) => JsonNamingPolicy.KebabCaseLower.ConvertName(name);

    private static T? Parse<T>(string name, ArgumentResult result, string advice = "") where T : struct, Enum
    {
        string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (Enum.GetNames<T>().FirstOrDefault(n => Text(n).Equals(text, StringComparison.OrdinalIgnoreCase)) is { } found)
            return Enum.Parse<T>(found);
        result.AddError($"{name} '{text}': expected {Choices<T>()}{advice}.");
        return null;
    }
}
